import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { EdgeLabel, NodeKind } from '../../vocabulary.js'
import type { Fact, NodeFact, ParsedSource, SourceContext } from '../fact.js'
import { type BatchGroup, parseBatch } from '../glean/batch-file.js'
import { decodeEdge, decodeManifest, decodeNode, type GleanEdge, type GleanNode, kindOf, momentOf } from '../glean/decode.js'
import type { Predicate, RawKey } from '../glean/predicates.js'
import { nodeId } from '../identity.js'
import { partsOfId } from '../resolve/scope.js'
import { type Source, type SourceText, wholeText } from './source.js'

/**
 * Batches of Glean facts: a JSON array of `{ predicate, facts: [{ key }] }` with predicates Node.1, Edge.1 and ExportManifest.1 of any
 * namespace. Ids that are ours stay; ids of other origin become ours by kind. The whole file is in memory (up to 256 MiB).
 */
export const gleanBatch: Source = {
  name: 'Glean batch',
  extensions: ['.json'],
  looksLike: (head) => /^\s*\[\s*\{\s*"(?:predicate"\s*:\s*"|facts"\s*:\s*\[)/.test(head),
  parse: parseGleanBatch,
  byContentOnly: true,
}

/** V8 holds strings of up to half a billion characters, and the parsed facts take several times their text. */
const largestText = 256 * 2 ** 20

async function parseGleanBatch(text: SourceText, context: SourceContext): Promise<ParsedSource> {
  const whole = await wholeText(text)
  if (whole.length > largestText)
    return { facts: [], problems: [bad(context.file, `${Math.ceil(whole.length / 2 ** 20)} MiB`, 'a batch of at most 256 MiB')] }
  try {
    return new BatchReader(context).read(parseBatch(whole))
  } catch (thrown) {
    return { facts: [], problems: [bad(context.file, messageOf(thrown), 'a batch of Glean facts')] }
  }
}

const bad = (where: string, found: string, expected: string): Problem => problem({ code: 'glean-batch', where, found, expected })

/** What ingest makes itself of every system. */
const made: ReadonlySet<string> = new Set(['Project', 'System'])

class BatchReader {
  private readonly facts: Fact[] = []
  private readonly problems: Problem[] = []
  /** ids as they are written -> ours */
  private readonly ids = new Map<string, string>()
  /** time of an export -> when what it tells was true */
  private readonly moments = new Map<number, Date>()

  constructor(private readonly context: SourceContext) {}

  read(groups: readonly BatchGroup[]): ParsedSource {
    const each = (predicate: Predicate, use: (key: RawKey, place: string) => void) => {
      for (const [g, group] of groups.entries())
        if (group.predicate === predicate) for (const [i, key] of group.keys.entries()) use(key, `/${g}/facts/${i}`)
    }
    each('ExportManifest', (key) => this.addManifest(key))
    each('Node', (key, place) => this.addNode(key, place))
    each('Edge', (key, place) => this.addEdge(key, place))
    for (const { name, predicate } of groups)
      if (!predicate)
        this.tell('', { code: 'glean-predicate', severity: 'info', found: name, expected: 'Node.1, Edge.1 or ExportManifest.1' })
    return { facts: this.facts, problems: this.problems }
  }

  private tell(place: string, what: Omit<Parameters<typeof problem>[0], 'where'>): void {
    this.problems.push(problem({ ...what, where: place ? `${this.context.file}:${place}` : this.context.file }))
  }

  /** Where a fact was read, and when it was true: when the metrics of its export were calculated, else when it was exported. */
  private origin({ exportedAt }: GleanNode | GleanEdge, place: string): Pick<NodeFact, 'provenance' | 'observedAt'> {
    const provenance = { dialect: 'glean-batch', file: this.context.file, location: place }
    if (!exportedAt) return { provenance }
    return { provenance, observedAt: this.moments.get(exportedAt.getTime()) ?? exportedAt }
  }

  private addManifest(key: RawKey): void {
    const manifest = decodeManifest(key)
    const moment = momentOf(manifest)
    if (manifest.exportedAt && moment) this.moments.set(manifest.exportedAt.getTime(), moment)
  }

  private addNode(key: RawKey, place: string): void {
    const node = decodeNode(key)
    const kind = node && kindOf(node.kind)
    if (!node) this.tell(place, { code: 'glean-node', found: JSON.stringify(key), expected: 'a node with an id and a kind' })
    else if (!kind) this.tell(place, { code: 'unknown-kind', found: `${node.kind} ${node.id}`, expected: 'a kind of the catalog' })
    else this.addNodeOf(kind, node, place)
  }

  private addNodeOf(kind: NodeKind, node: GleanNode, place: string): void {
    const { projectId, systemId } = this.context
    const parts = partsOfId(node.id)
    const own = parts?.kind === kind ? parts : null
    const id = own ? node.id : nodeId(projectId, systemId, kind, node.id)
    this.ids.set(node.id, id)
    if (made.has(kind)) return
    const { label: name, properties } = node
    const qualifiedName = node.qualifiedName ?? own?.qualifiedName ?? node.id
    this.facts.push({ fact: 'node', id, kind, name, qualifiedName, properties, ...this.origin(node, place) })
  }

  /** The id of an end: of a node of this batch, or of one of the project that another file describes. */
  private endOf(id: string): string | null {
    return this.ids.get(id) ?? (partsOfId(id)?.projectId === this.context.projectId ? id : null)
  }

  private addEdge(key: RawKey, place: string): void {
    const edge = decodeEdge(key)
    if (edge) this.addEdgeOf(edge, place)
    else this.tell(place, { code: 'glean-edge', found: JSON.stringify(key), expected: 'an edge with source, target and label' })
  }

  private addEdgeOf(edge: GleanEdge, place: string): void {
    const { discriminator, properties } = edge
    const [sourceId, targetId] = [this.endOf(edge.sourceId), this.endOf(edge.targetId)]
    if (sourceId && targetId) {
      // ingest knows the labels of the vocabulary and refuses others
      const label = edge.label.toUpperCase() as EdgeLabel
      this.facts.push({ fact: 'edge', sourceId, label, targetId, discriminator, properties, ...this.origin(edge, place) })
      return
    }
    const found = `${edge.sourceId} -[${edge.label}]-> ${edge.targetId}`
    const expected = `a node ${sourceId ? edge.targetId : edge.sourceId} in this batch`
    this.tell(place, { code: 'dangling-edge', severity: 'warning', found, expected })
  }
}
