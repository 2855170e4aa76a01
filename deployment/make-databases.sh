#!/bin/sh
# Makes a database and a login role for each service; only its own role may connect to it.
set -eu
for service in gateway proposal budget deploy security helpdesk; do
  eval "password=\$$(echo "$service" | tr '[:lower:]' '[:upper:]')_PASSWORD"
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -v name="$service" -v password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
done
