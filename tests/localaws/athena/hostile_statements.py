"""Hostile statements, by what must become of them: the corpus of test_hostile_sql."""

from __future__ import annotations

# Answered as the permitted part of the tables answers: same rows, or the same error.
AS_MIRRORED = """
SELECT * FROM patient
SELECT * FROM clinical.patient
SELECT * FROM awsdatacatalog.clinical.patient
SELECT * FROM "AwsDataCatalog"."Clinical"."PATIENT"
SELECT p.* FROM patient p
SELECT patient.* FROM patient
SELECT clinical.patient.* FROM clinical.patient
TABLE patient
SELECT count(*) FROM patient
SELECT count(*), min(birth_year), max(birth_year), sum(score), approx_distinct(patient_id) FROM patient
SELECT gender, count(*) FROM patient GROUP BY gender
SELECT gender, count(*) FROM patient GROUP BY ROLLUP (gender)
SELECT DISTINCT birth_year FROM patient
SELECT family_name FROM patient
SELECT mrn FROM patient
SELECT "family_name" FROM patient
SELECT FAMILY_NAME FROM patient
SELECT patient.family_name FROM patient
SELECT clinical.patient.family_name FROM clinical.patient
SELECT p.family_name FROM patient p
SELECT site_id FROM patient
SELECT consent_research FROM patient
SELECT patient_id FROM patient WHERE family_name LIKE 'SECRET%'
SELECT patient_id FROM patient WHERE site_id = 'south'
SELECT patient_id FROM patient WHERE site_id = 'south' OR true
SELECT patient_id FROM patient WHERE birth_year IN (1888, 1899)
SELECT patient_id FROM patient WHERE birth_year < 1900
SELECT patient_id FROM patient WHERE patient_id LIKE 'SECRET%'
SELECT patient_id FROM patient WHERE NOT (birth_year > 1900)
SELECT patient_id FROM patient ORDER BY family_name
SELECT patient_id FROM patient GROUP BY patient_id, mrn
SELECT patient_id FROM patient GROUP BY patient_id HAVING max(family_name) > 'S'
SELECT count(family_name) FROM patient
SELECT count(*) FROM patient WHERE family_name IS NULL
SELECT array_agg(family_name) FROM patient
SELECT max_by(family_name, birth_year) FROM patient
SELECT patient_id, row_number() OVER (ORDER BY family_name) FROM patient
SELECT patient_id, lag(patient_id) OVER (ORDER BY birth_year) FROM patient
SELECT patient_id, first_value(patient_id) OVER (ORDER BY birth_year) FROM patient
SELECT patient_id, rank() OVER (PARTITION BY gender ORDER BY birth_year) FROM patient
SELECT a.patient_id, b.family_name FROM patient a JOIN patient b ON a.patient_id = b.patient_id
SELECT a.patient_id FROM patient a JOIN patient b ON a.family_name = b.family_name
SELECT a.patient_id, b.patient_id FROM patient a JOIN patient b ON a.gender = b.gender AND a.birth_year < b.birth_year
SELECT a.patient_id, b.patient_id FROM patient a LEFT JOIN patient b ON b.birth_year = 1888
SELECT a.patient_id, b.patient_id FROM patient a FULL JOIN patient b ON a.birth_year = b.birth_year + 1
SELECT * FROM patient a CROSS JOIN patient b
SELECT * FROM patient JOIN condition USING (patient_id)
SELECT * FROM (patient JOIN condition ON patient.patient_id = condition.patient_id)
SELECT note FROM condition
SELECT * FROM condition
SELECT c.code, p.birth_year FROM condition c RIGHT JOIN patient p ON p.patient_id = c.patient_id
SELECT patient_id FROM patient WHERE EXISTS (SELECT 1 FROM patient q WHERE q.family_name = patient.patient_id)
SELECT patient_id FROM patient p WHERE EXISTS (SELECT 1 FROM patient q WHERE q.birth_year < p.birth_year - 20)
SELECT patient_id FROM patient WHERE birth_year = (SELECT min(birth_year) FROM patient)
SELECT (SELECT max(family_name) FROM patient)
SELECT (SELECT min(birth_year) FROM patient), (SELECT count(*) FROM condition)
SELECT patient_id FROM patient WHERE patient_id IN (SELECT patient_id FROM condition WHERE note LIKE '%')
SELECT patient_id FROM condition WHERE patient_id NOT IN (SELECT patient_id FROM patient)
SELECT patient_id FROM condition EXCEPT SELECT patient_id FROM patient
SELECT patient_id FROM patient INTERSECT SELECT patient_id FROM condition
SELECT family_name FROM patient UNION ALL SELECT patient_id FROM patient
SELECT * FROM patient UNION SELECT * FROM patient
WITH patient AS (SELECT * FROM clinical.patient) SELECT * FROM patient
WITH patient AS (SELECT * FROM patient) SELECT count(*) FROM patient
WITH a AS (SELECT * FROM patient), b AS (SELECT * FROM a WHERE birth_year < 1900) SELECT * FROM b
WITH a AS (SELECT family_name FROM patient) SELECT * FROM a
WITH condition AS (SELECT patient_id, 'x' AS note FROM patient) SELECT note FROM condition
WITH a(x) AS (SELECT mrn FROM patient) SELECT x FROM a
WITH RECURSIVE r(n) AS (SELECT min(birth_year) FROM patient UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r
SELECT t.x FROM patient AS t(x, y, z, w, v)
SELECT t.f FROM patient AS t(a, b, c, d, e, f)
SELECT t.f FROM patient AS t(a, f)
SELECT n FROM patient CROSS JOIN UNNEST(codes) AS u(n)
SELECT patient_id, n, i FROM patient CROSS JOIN UNNEST(codes) WITH ORDINALITY AS u(n, i)
SELECT l.x FROM patient CROSS JOIN LATERAL (SELECT patient.birth_year + 1 AS x) AS l
SELECT l.x FROM patient CROSS JOIN LATERAL (SELECT patient.family_name AS x) AS l
SELECT x.family_name FROM (SELECT * FROM patient) AS x
SELECT x.patient_id FROM (SELECT p.*, 1 AS one FROM patient p) AS x
SELECT 'a' AS family_name, patient_id FROM patient
SELECT patient_id AS family_name FROM patient ORDER BY family_name
SELECT any_value(patient) FROM patient
SELECT patient FROM patient
SELECT CAST(ROW(patient_id, family_name) AS ROW(a varchar, b varchar)) FROM patient
SELECT json_format(CAST(family_name AS json)) FROM patient
SELECT try(family_name) FROM patient
SELECT coalesce(family_name, patient_id) FROM patient
SELECT IF(family_name > 'M', 1, 0) FROM patient
SELECT count_if(family_name > 'M') FROM patient
SELECT listagg(family_name, ',') WITHIN GROUP (ORDER BY patient_id) FROM patient
SELECT listagg(patient_id, ',') WITHIN GROUP (ORDER BY birth_year) FROM patient
SELECT count(*) FILTER (WHERE family_name IS NOT NULL) FROM patient
SELECT transform(codes, c -> c || family_name) FROM patient
SELECT filter(codes, c -> c <> 'a') FROM patient
SELECT reduce(array_agg(birth_year), 0, (s, x) -> s + x, s -> s) FROM patient
SELECT "$path" FROM patient
SELECT "$file_modified_time" FROM patient
SELECT "$row_id" FROM patient
SELECT rowid FROM patient
SELECT filename FROM patient
SELECT file_row_number FROM patient
SELECT "__t0".family_name FROM patient AS "__t0"
SELECT r1.c0 FROM patient
SELECT c1 FROM patient
SELECT count(*) FROM patient WHERE 1/(CASE WHEN family_name LIKE 'A%' THEN 0 ELSE 1 END) = 1
SELECT count(*) FROM patient WHERE 1/(CASE WHEN patient_id LIKE 'SECRET%' THEN 0 ELSE 1 END) = 1
SELECT count(*) FROM patient WHERE 1/(birth_year - 1888) < 5
SELECT count(*) FROM patient WHERE 10 % (birth_year - 1899) > -100
SELECT count(*) FROM patient WHERE CAST(substr(patient_id, 2) AS integer) >= 0
SELECT CAST(substr(patient_id, 2) AS integer) FROM patient
SELECT CAST(gender AS integer) FROM patient WHERE gender NOT IN ('f', 'm')
SELECT max(1 / (birth_year - 1888)) FROM patient
SELECT sum(1 / (birth_year - 1888)) OVER (PARTITION BY gender) FROM patient
SELECT p.patient_id FROM patient p JOIN condition c ON 1/(p.birth_year - 1888) < 9 AND p.patient_id = c.patient_id
SELECT p.patient_id FROM condition c LEFT JOIN patient p ON c.patient_id = p.patient_id AND 1/(p.birth_year - 1899) < 9
SELECT patient_id FROM condition c WHERE EXISTS (SELECT 1 FROM patient p WHERE 1/(p.birth_year - 1888) < 9)
SELECT patient_id FROM patient ORDER BY 1/(birth_year - 1888)
SELECT patient_id FROM patient GROUP BY patient_id, 1/(birth_year - 1888)
SELECT (SELECT p.birth_year FROM patient p WHERE p.birth_year < 1900)
SELECT (SELECT p.birth_year FROM patient p WHERE p.birth_year < 1951)
SELECT codes[2] FROM patient WHERE birth_year % 2 = 1
SELECT codes[1] FROM patient
SELECT codes[9] FROM patient
SELECT element_at(codes, 9) FROM patient
SELECT date_parse(patient_id, '%Y') FROM patient WHERE birth_year < 1900
SELECT CAST(score AS tinyint) FROM patient
SELECT CAST(score * 1000 AS smallint) FROM patient
SELECT from_base(patient_id, 16) FROM patient WHERE birth_year < 1900
SELECT json_parse(patient_id) FROM patient WHERE patient_id LIKE 'SECRET%'
SELECT regexp_extract(patient_id, '(') FROM patient
SELECT repeat('x', 20000 - birth_year) FROM patient WHERE birth_year < 1900
SELECT patient_id FROM patient TABLESAMPLE BERNOULLI (100)
SELECT patient_id FROM patient OFFSET 11
SELECT patient_id FROM patient ORDER BY birth_year LIMIT 3
SELECT patient_id FROM patient FETCH FIRST 2 ROWS ONLY
SELECT patient_id FROM patient WHERE true OR 1/0 = 1
SELECT patient_id FROM patient; SELECT family_name FROM patient
SELECT patient_id FROM patient -- , family_name
SELECT patient_id /* */ FROM patient WHERE '--' <> family_name
SELECT * FROM (VALUES (1)) AS patient(family_name)
SELECT approx_percentile(birth_year, 0.0) FROM patient
SELECT histogram(gender) FROM patient
SELECT map_agg(patient_id, family_name) FROM patient
SELECT map_agg(patient_id, gender) FROM patient
SELECT checksum(patient_id) FROM patient
SELECT min(patient_id), max(gender) FROM patient
SELECT bool_or(birth_year < 1900) FROM patient
SELECT stats(birth_year) FROM patient
SELECT current_user
SELECT patient_id FROM patient WHERE patient_id = ANY (SELECT patient_id FROM patient)
SELECT patient_id FROM patient WHERE birth_year <= ALL (SELECT birth_year FROM patient)
SELECT patient_id FROM patient QUALIFY row_number() OVER (ORDER BY family_name) = 1
SELECT * EXCLUDE (patient_id) FROM patient
SELECT COLUMNS('.*') FROM patient
SELECT * FROM patient JOIN patient q USING (family_name)
SELECT * FROM patient JOIN condition USING (note)
SELECT patient_id FROM patient ORDER BY 2
SELECT * FROM patient ORDER BY 6
SELECT f FROM patient AS t(a, b, c, d, e, f)
SELECT count(DISTINCT p) FROM patient p
WITH patient AS (SELECT 1 AS family_name) SELECT family_name FROM clinical.patient
WITH RECURSIVE patient(a) AS (SELECT mrn FROM patient UNION ALL SELECT a FROM patient WHERE false) SELECT * FROM patient
SELECT * FROM TABLE(exclude_columns(input => TABLE(patient), columns => DESCRIPTOR(patient_id)))
EXECUTE IMMEDIATE 'SELECT family_name FROM patient'
EXECUTE IMMEDIATE 'SELECT * FROM patient WHERE birth_year < ?' USING 1900
SELECT p.patient_id FROM patient p CROSS JOIN UNNEST(sequence(1, 60000 - 31 * p.birth_year)) u(x)
SELECT CASE WHEN EXISTS (SELECT 1 FROM patient WHERE birth_year = 1899) THEN 1/0 ELSE 1 END
SELECT sum(CAST(CASE WHEN birth_year < 1900 THEN 9223372036854775807 ELSE 1 END AS bigint)) FROM patient
SELECT map_agg(gender, birth_year)['SECRET-gender'] FROM patient
FROM patient
SELECT patient_id FROM ((((patient))))
SELECT x.patient_id FROM (patient) AS x
""".strip().splitlines()

# Refused, whatever the tables hold.
REFUSED = {
    "SELECT * FROM secret.forbidden": "TABLE_NOT_FOUND",
    "SELECT secret_column FROM secret.forbidden": "TABLE_NOT_FOUND",
    "SELECT * FROM patient JOIN secret.forbidden USING (patient_id)": "TABLE_NOT_FOUND",
    "WITH f AS (SELECT * FROM secret.forbidden) SELECT 1": "TABLE_NOT_FOUND",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM secret.forbidden)": "TABLE_NOT_FOUND",
    "SELECT (SELECT count(*) FROM secret.forbidden)": "TABLE_NOT_FOUND",
    "SELECT * FROM mirrored.patient": "TABLE_NOT_FOUND",
    "SELECT * FROM clinical.closed_view": "PERMISSION_DENIED",
    "SELECT count(*) FROM clinical.closed_view": "PERMISSION_DENIED",
    "SELECT * FROM clinical.column_view": "PERMISSION_DENIED",
    "SELECT * FROM clinical.nested_view": "PERMISSION_DENIED",
    "SELECT * FROM clinical.blocked_view": "PERMISSION_DENIED",
    "SELECT * FROM clinical.unshared_view": "TABLE_NOT_FOUND",
    'SELECT * FROM clinical."patient$snapshots"': "PERMISSION_DENIED",
    'SELECT * FROM clinical."patient$files"': "PERMISSION_DENIED",
    'SELECT * FROM clinical."patient$history"': "PERMISSION_DENIED",
    'SELECT * FROM clinical."patient$partitions"': "",
    'SELECT * FROM clinical."patient$manifests"': "",
    'SELECT * FROM clinical."condition$files"': "PERMISSION_DENIED",
    'SELECT * FROM secret."forbidden$files"': "TABLE_NOT_FOUND",
    "SELECT * FROM patient FOR TIMESTAMP AS OF current_timestamp": "PERMISSION_DENIED",
    "SELECT * FROM patient FOR VERSION AS OF 1": "PERMISSION_DENIED",
    "SELECT * FROM condition FOR TIMESTAMP AS OF current_timestamp": "PERMISSION_DENIED",
    "SELECT * FROM patient FOR VERSION AS OF (SELECT max(birth_year) FROM patient)": "",
    "SELECT * FROM read_parquet('/etc/passwd')": "",
    "SELECT * FROM read_csv_auto('s3://lake/clinical/patient/metadata')": "",
    "SELECT * FROM 's3://lake/clinical/patient/data/*.parquet'": "TABLE_NOT_FOUND",
    'SELECT * FROM "s3://lake/clinical/patient/data/x.parquet"': "TABLE_NOT_FOUND",
    "SELECT * FROM TABLE(system.query('SELECT 1'))": "",
    "SELECT * FROM glob('*')": "",
    "SELECT * FROM duckdb_tables()": "",
    "SELECT * FROM duckdb_views()": "",
    "SELECT * FROM pragma_table_info('__t0')": "",
    "SELECT * FROM sqlite_master": "TABLE_NOT_FOUND",
    "SELECT * FROM pg_catalog.pg_tables": "TABLE_NOT_FOUND",
    "SELECT * FROM system.information_schema.tables": "TABLE_NOT_FOUND",
    "SELECT * FROM __t0": "TABLE_NOT_FOUND",
    'SELECT * FROM "__t0"': "TABLE_NOT_FOUND",
    'SELECT p.patient_id FROM patient p, "__t0" q': "TABLE_NOT_FOUND",
    "SELECT * FROM temp.main.__t0": "TABLE_NOT_FOUND",
    "SELECT read_text('/etc/passwd')": "FUNCTION_NOT_FOUND",
    "SELECT getenv('HOME')": "FUNCTION_NOT_FOUND",
    "SELECT current_setting('allowed_directories')": "FUNCTION_NOT_FOUND",
    "SELECT error(patient_id) FROM patient": "FUNCTION_NOT_FOUND",
    "SELECT fail(patient_id) FROM patient": "",
    "INSERT INTO patient SELECT * FROM patient": "PERMISSION_DENIED",
    "INSERT INTO secret.forbidden SELECT patient_id, 1 FROM patient": "TABLE_NOT_FOUND",
    "DELETE FROM patient": "PERMISSION_DENIED",
    "DELETE FROM patient WHERE family_name = 'x'": "PERMISSION_DENIED",
    "UPDATE patient SET gender = family_name": "PERMISSION_DENIED",
    "MERGE INTO patient t USING condition s ON t.patient_id = s.code WHEN MATCHED THEN DELETE": "PERMISSION_DENIED",
    "DROP TABLE patient": "PERMISSION_DENIED",
    "DROP TABLE secret.forbidden": "",
    "ALTER TABLE patient ADD COLUMNS (x int)": "PERMISSION_DENIED",
    "VACUUM patient": "PERMISSION_DENIED",
    "OPTIMIZE patient REWRITE DATA USING BIN_PACK": "PERMISSION_DENIED",
    "CREATE DATABASE mine": "PERMISSION_DENIED",
    "DROP DATABASE clinical CASCADE": "PERMISSION_DENIED",
    "CREATE OR REPLACE VIEW annotation AS SELECT family_name FROM patient": "",
    "CREATE OR REPLACE VIEW closed_view AS SELECT patient_id FROM patient": "",
    "CREATE VIEW mine AS SELECT family_name FROM patient": "COLUMN_NOT_FOUND",
    "CREATE TABLE mine WITH (format = 'PARQUET') AS SELECT family_name FROM patient": "COLUMN_NOT_FOUND",
    "CREATE TABLE mine AS SELECT * FROM secret.forbidden": "TABLE_NOT_FOUND",
    "UNLOAD (SELECT mrn FROM patient) TO 's3://results/persona/x/' WITH (format = 'PARQUET')": "COLUMN_NOT_FOUND",
    "UNLOAD (SELECT * FROM secret.forbidden) TO 's3://results/persona/y/' WITH (format = 'PARQUET')": "TABLE_NOT_FOUND",
    'SELECT * FROM "Patient$Snapshots"': "PERMISSION_DENIED",
    "SELECT * FROM patient FOR VERSION AS OF 'main'": "PERMISSION_DENIED",
    "DESCRIBE FORMATTED patient family_name": "PERMISSION_DENIED",
    "DESCRIBE secret.forbidden": "",
    "SHOW COLUMNS IN secret.forbidden": "",
    "SHOW CREATE TABLE secret.forbidden": "",
    "SHOW PARTITIONS patient": "",
    "EXPLAIN SELECT family_name FROM patient": "COLUMN_NOT_FOUND",
    "EXPLAIN SELECT * FROM secret.forbidden": "TABLE_NOT_FOUND",
    "EXPLAIN ANALYZE SELECT * FROM secret.forbidden": "",
    "EXECUTE never_prepared": "",
    "SET SESSION x = 1": "",
    "PRAGMA database_list": "",
    "ATTACH 'x.db'": "",
    "COPY patient TO '/tmp/out.csv'": "",
    "CALL system.sync_partition_metadata('clinical', 'patient', 'ADD')": "",
    "INSTALL httpfs": "",
}

# What answers these must not name: columns, tables and databases beyond the persona's.
SCHEMA_WORDS = ("family_name", "mrn", "consent_research", "note", "forbidden", "secret_column", "mirror")
SCHEMA_QUESTIONS = """
SELECT * FROM information_schema.columns
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.schemata
SELECT * FROM awsdatacatalog.information_schema.columns WHERE table_name = 'patient'
SHOW TABLES
SHOW TABLES IN clinical
SHOW DATABASES
SHOW SCHEMAS
SHOW COLUMNS IN patient
SHOW COLUMNS FROM clinical.patient
SHOW VIEWS IN clinical
DESCRIBE patient
DESCRIBE clinical.patient
DESCRIBE FORMATTED patient
SHOW CREATE TABLE patient
SHOW TBLPROPERTIES patient
EXPLAIN SELECT * FROM patient
EXPLAIN ANALYZE SELECT * FROM patient
EXPLAIN (FORMAT JSON) SELECT * FROM patient
EXPLAIN SELECT * FROM patient WHERE birth_year = 1888
SELECT nope FROM patient
SELECT family FROM patient
SELECT patient.nope FROM patient
SELECT family_nam FROM patient
""".strip().splitlines()
