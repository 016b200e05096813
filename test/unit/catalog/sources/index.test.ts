import { describe, expect, it } from 'vitest'
import { detectDialect, dialects, parseSource, sources } from '../../../../src/catalog/sources/index.js'
import { bank } from './support.js'

describe('the table of sources', () => {
  it('has a name, endings and a parser for every dialect', () => {
    for (const dialect of dialects) {
      expect(sources[dialect].name).toMatch(/\w/)
      expect(sources[dialect].extensions.every((e: string) => /^\.[a-z]+$/.test(e))).toBe(true)
    }
    expect(dialects).toEqual([
      'spark-ddl',
      'trino-ddl',
      'flink-ddl',
      'mysql-ddl',
      'postgres-ddl',
      'hive-ddl',
      'control-m-xml',
      'control-m-json',
      'glean-batch',
      'schema-json',
      'change-history',
      'json-table',
    ])
  })

  it('refuses a dialect it does not know, and helps', async () => {
    await expect(parseSource('hive-dll', '', bank)).rejects.toMatchObject({ code: 'BAD_INPUT', remedy: 'Did you mean "hive-ddl"?' })
    await expect(parseSource('Hive', '', bank)).rejects.toMatchObject({ code: 'BAD_INPUT', remedy: 'Did you mean "hive-ddl"?' })
  })

  it.each(dialects)('%s never throws on anything', async (dialect) => {
    for (const text of [
      '',
      ';',
      '<',
      '{',
      '[',
      '\0',
      "'",
      '`',
      '/*',
      '${',
      '{"a"',
      '<a',
      '<a b="',
      'create table',
      'create table t (',
      '😀',
      ')))',
      '[[[[',
      'select '.repeat(50),
    ])
      await expect(parseSource(dialect, text, { ...bank, file: `x${sources[dialect].extensions[0]}` })).resolves.toHaveProperty('problems')
  })
})

describe('a file is recognised', () => {
  it.each([
    ['a/core.sql', 'create table t (x int)', 'hive-ddl'],
    ['core.HQL', '-- comment\n/* more */ USE db;', 'hive-ddl'],
    ['jobs.xml', '<?xml version="1.0"?>\n<DEFTABLE>', 'control-m-xml'],
    ['jobs.txt', '<!-- x --><SMART_FOLDER FOLDER_NAME="x">', 'control-m-xml'],
    ['rows.jsonl', '{"a":1}', 'json-table'],
    ['rows.data', '[\n {"a": 1}', 'json-table'],
    ['rows.json', '', 'json-table'],
    ['rows.sql', '{"a":1}', 'json-table'],
    ['empty.sql', '', 'hive-ddl'],
    ['page.xml', '<html>', 'control-m-xml'],
    ['dump.sql', '-- MySQL dump 10.13\n', 'mysql-ddl'],
    ['dump.sql', '--\n-- PostgreSQL database dump\n--\n', 'postgres-ddl'],
    ['tables.json', '[{"column_names": [[-1, "*"]], "db_id": "x"', 'schema-json'],
    ['json_with_changes.json', '{"tables": {"a": {"columns": {"b": {"type": "int", "changed_at": "2024-01-01"}}}}}', 'change-history'],
    ['rows.json', '[{"status": "added", "type": "int"}]', 'json-table'],
    ['readme.md', '# Hello', null],
    ['picture.png', '', null],
    ['rows.json', '\uFEFF[{"a":1}]', 'json-table'],
  ])('%s with %j is %s', (file, head, dialect) => {
    expect(detectDialect(file, head)).toBe(dialect)
  })
})
