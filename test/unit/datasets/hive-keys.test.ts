import { expect, it } from 'vitest'
import { parseSource } from '../../../src/catalog/sources/index.js'
import { type Estate, indexEstate, isPrimaryKey } from '../../../src/datasets/links/estate.js'
import { buildLinkLists } from '../../../src/datasets/links/lists.js'
import { hiddenReferences } from '../../../src/datasets/tasks/foreign-key.js'
import { seeded } from '../../../src/util/random.js'

const ddl = `
CREATE TABLE core.account (bank STRING, no BIGINT COMMENT 'account number', PRIMARY KEY (bank, no) DISABLE NOVALIDATE);
CREATE TABLE core.card (id BIGINT, bank STRING, account_no BIGINT, PRIMARY KEY (id) DISABLE NOVALIDATE,
  FOREIGN KEY (bank, account_no) REFERENCES core.account (bank, no) DISABLE NOVALIDATE);
CREATE TABLE core.payment (id BIGINT, card_id BIGINT, at TIMESTAMP, amount DECIMAL(12,2),
  CONSTRAINT fk_card FOREIGN KEY (card_id) REFERENCES core.card (id) DISABLE NOVALIDATE);
`

/** The estate that a catalog would hold after this text, without a catalog. */
async function estateOf(text: string): Promise<Estate> {
  const scope = { projectId: 'p', systemId: 's' }
  const { facts, problems } = await parseSource('hive-ddl', text, { ...scope, file: 'core.sql' })
  expect(problems.filter((p) => p.severity === 'error')).toEqual([])
  return {
    nodes: facts.flatMap((f) => (f.fact === 'node' ? [{ ...f, ...scope }] : [])),
    edges: facts.flatMap((f) => (f.fact === 'edge' ? [{ ...f, discriminator: f.discriminator ?? '', ...scope }] : [])),
  }
}

it('the names that the Hive source gives properties and constraints are those that the task reads', async () => {
  const estate = await estateOf(ddl)
  const index = indexEstate(estate)
  const keys = estate.nodes.filter((n) => n.kind === 'Column' && isPrimaryKey(n)).map((n) => n.qualifiedName)
  expect(keys.sort()).toEqual(['core.account.bank', 'core.account.no', 'core.card.id'])
  expect(index.partsOf('p/s/table:core.payment').map((c) => c.name)).toEqual(['id', 'card_id', 'at', 'amount'])
  const hidden = [...hiddenReferences(index, 'p/s/column:core.card.account_no')].map((e) =>
    [e.sourceId, e.targetId].map((id) => id.slice(4)).join(' -> '),
  )
  expect(hidden.sort()).toEqual([
    'column:core.card.account_no -> column:core.account.no',
    'column:core.card.bank -> column:core.account.bank',
    'table:core.card -> table:core.account',
  ])
  const { lists } = buildLinkLists(estate, { candidates: 5 }, seeded(1))
  expect(lists.map((l) => [l.queryId, l.group])).toEqual([
    ['p/s/column:core.card.account_no', 'p/s/database:core'],
    ['p/s/column:core.card.bank', 'p/s/database:core'],
    ['p/s/column:core.payment.card_id', 'p/s/database:core'],
  ])
})
