import { EspalierError } from '../../util/error.js'
import type { NodeKind } from '../../vocabulary.js'
import { type ColumnTypePatterns, columnTypePatterns } from './column-types.js'
import { decodeEdge, decodeManifest, decodeNode, type GleanEdge, type GleanManifest, type GleanNode, spellingsOf } from './decode.js'
import type { Predicate, RawKey } from './predicates.js'
import type { GleanTransport } from './transport.js'
import { type InformationTheoryMetrics, informationTrends } from './trends.js'

export interface FactPage<T> {
  items: T[]
  /** are there more behind these? ask again with `offset` plus `limit` */
  hasMore: boolean
  /** facts whose key could not be read (no id, no ends) */
  unreadable: number
}

export interface GleanClient {
  readonly transport: GleanTransport
  /** what a person should know of the choice of the transport: `no glean on the PATH: reading the batch folder …` */
  readonly notes: readonly string[]
  /** `systemId` null: of all systems. `limit`: facts at most; `offset`: facts to pass over. */
  queryHistoricalNodes(
    projectId: string,
    systemId?: string | null,
    daysBack?: number,
    limit?: number,
    offset?: number,
  ): Promise<FactPage<GleanNode>>
  queryHistoricalEdges(
    projectId: string,
    systemId?: string | null,
    daysBack?: number,
    limit?: number,
    offset?: number,
  ): Promise<FactPage<GleanEdge>>
  queryExportManifests(
    projectId: string,
    systemId?: string | null,
    daysBack?: number,
    limit?: number,
    offset?: number,
  ): Promise<FactPage<GleanManifest>>
  queryInformationTheoryMetrics(projectId: string, systemId?: string | null, daysBack?: number): Promise<InformationTheoryMetrics>
  queryColumnTypePatterns(projectId: string, systemId?: string | null, daysBack?: number): Promise<ColumnTypePatterns>
}

export const defaultDaysBack = 30
export const defaultLimits = { facts: 1_000, manifests: 100 } as const
const largest = { daysBack: 36_500, limit: 1_000_000, offset: 100_000_000 }

function assertWhole(name: keyof typeof largest, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= largest[name]) return
  throw new EspalierError('BAD_INPUT', `Glean: found ${name} ${value}, expected a whole number from ${least} to ${largest[name]}`)
}

const secondsOfDay = 86_400

/** The history of a project in Glean, over one transport. `now` decides what `daysBack` counts from. */
export function createGleanClient(
  transport: GleanTransport,
  now: () => Date = () => new Date(),
  notes: readonly string[] = [],
): GleanClient {
  interface Wanted {
    predicate: Predicate
    projectId: string
    systemId: string | null
    daysBack: number
    kind?: NodeKind
  }

  const queryOf = ({ predicate, projectId, systemId, daysBack, kind }: Wanted) => {
    if (projectId === '') throw new EspalierError('BAD_INPUT', 'Glean: found an empty projectId, expected the id of a project')
    assertWhole('daysBack', daysBack, 1)
    const where = {
      project_id: projectId,
      ...(systemId === null ? {} : { system_id: systemId }),
      ...(kind ? { kind: spellingsOf(kind) } : {}),
    }
    return { predicate, where, since: Math.floor(now().getTime() / 1000) - daysBack * secondsOfDay }
  }

  async function page<T>(wanted: Wanted, limit: number, offset: number, decode: (key: RawKey) => T | null): Promise<FactPage<T>> {
    assertWhole('limit', limit, 1)
    assertWhole('offset', offset, 0)
    const keys = await transport.query(queryOf(wanted), { offset, limit: limit + 1 })
    const shown = keys.slice(0, limit)
    const items = shown.map(decode).filter((item) => item !== null)
    return { items, hasMore: keys.length > limit, unreadable: shown.length - items.length }
  }

  const manifestsOf = async (projectId: string, systemId: string | null, daysBack: number): Promise<GleanManifest[]> =>
    (await transport.query(queryOf({ predicate: 'ExportManifest', projectId, systemId, daysBack }))).map(decodeManifest)

  return {
    transport,
    notes,
    queryHistoricalNodes: (projectId, systemId = null, daysBack = defaultDaysBack, limit = defaultLimits.facts, offset = 0) =>
      page({ predicate: 'Node', projectId, systemId, daysBack }, limit, offset, decodeNode),
    queryHistoricalEdges: (projectId, systemId = null, daysBack = defaultDaysBack, limit = defaultLimits.facts, offset = 0) =>
      page({ predicate: 'Edge', projectId, systemId, daysBack }, limit, offset, decodeEdge),
    queryExportManifests: (projectId, systemId = null, daysBack = defaultDaysBack, limit = defaultLimits.manifests, offset = 0) =>
      page({ predicate: 'ExportManifest', projectId, systemId, daysBack }, limit, offset, decodeManifest),
    queryInformationTheoryMetrics: async (projectId, systemId = null, daysBack = defaultDaysBack) =>
      informationTrends(await manifestsOf(projectId, systemId, daysBack)),
    async queryColumnTypePatterns(projectId, systemId = null, daysBack = defaultDaysBack) {
      const manifests = await manifestsOf(projectId, systemId, daysBack)
      const keys = await transport.query(queryOf({ predicate: 'Node', projectId, systemId, daysBack, kind: 'Column' }))
      return columnTypePatterns(
        keys.map(decodeNode).filter((node) => node !== null),
        manifests,
      )
    },
  }
}
