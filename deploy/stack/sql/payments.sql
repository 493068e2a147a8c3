-- The payment tables of one database and what change data capture needs of them.
-- psql variables: database, replica_identity (FULL or DEFAULT). FULL is what a topic keyed by
-- account needs: with DEFAULT a delete carries the primary key alone, so its account is null.
CREATE DATABASE :"database" OWNER app;
\connect :"database"
SET ROLE app;

CREATE TABLE transactions (
  id SERIAL PRIMARY KEY,
  user_id INT,
  amount NUMERIC(10, 2),
  card_type VARCHAR(20),
  merchant_id INT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE card_transactions (
  id BIGSERIAL PRIMARY KEY,
  user_id INT,
  amount NUMERIC(12, 2),
  card_type VARCHAR(20),
  merchant_id INT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  country CHAR(2),
  latitude NUMERIC(9, 6),
  longitude NUMERIC(9, 6),
  device VARCHAR(64),
  currency CHAR(3)
);

ALTER TABLE transactions REPLICA IDENTITY :replica_identity;
ALTER TABLE card_transactions REPLICA IDENTITY :replica_identity;

-- Made here by the owner, so that the connector needs no right to create it.
CREATE PUBLICATION cdc_publication FOR TABLE transactions, card_transactions;
RESET ROLE;

GRANT CONNECT ON DATABASE :"database" TO cdc;
GRANT USAGE ON SCHEMA public TO cdc;
GRANT SELECT ON transactions, card_transactions TO cdc;
