-- The payment table and what change data capture needs of it. Runs once, as superuser, when the
-- database is made; passwords come from the environment. ON_ERROR_STOP is set by the image.
\getenv app_password APP_PASSWORD
\getenv cdc_password CDC_PASSWORD
\getenv monitor_password MONITOR_PASSWORD

CREATE TABLE transactions (
  id BIGSERIAL PRIMARY KEY,
  user_id INT NOT NULL,
  amount NUMERIC(12, 2) NOT NULL,
  card_type VARCHAR(20),
  merchant_id INT,
  created_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
  country CHAR(2),
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION,
  device VARCHAR(64),
  currency CHAR(3) NOT NULL DEFAULT 'EUR'
);

-- The topic is keyed by user_id. Without this, a delete would carry the primary key alone: its
-- account would be null, and it would land in another partition.
ALTER TABLE transactions REPLICA IDENTITY FULL;

-- Made here, so that the connector needs no right to make it.
CREATE PUBLICATION payments FOR TABLE transactions;

-- The application writes payments.
CREATE ROLE app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE, DELETE ON transactions TO app;
GRANT USAGE ON SEQUENCE transactions_id_seq TO app;

-- The connector reads the published tables and the replication stream, and writes nothing.
CREATE ROLE cdc LOGIN REPLICATION PASSWORD :'cdc_password';
GRANT SELECT ON transactions TO cdc;

-- Monitoring sees statistics and replication slots, and no payment.
CREATE ROLE monitor LOGIN PASSWORD :'monitor_password';
GRANT pg_monitor TO monitor;
