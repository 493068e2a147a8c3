-- app owns and writes the tables; cdc is what the connector logs in with and may only read them.
CREATE ROLE app LOGIN PASSWORD 'app';
CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'cdc';
