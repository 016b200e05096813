import { openGlean } from '../../catalog/glean/open.js'
import { type LearnSettings, learnPatterns as learn, type Patterns } from '../../patterns/learn.js'
import type { LearnPatternsOptions } from '../../patterns/learn-options.js'
import { ledgerSource } from '../../patterns/ledger-source.js'
import { type PatternSet, readSetOfRun, savePatternSet } from '../../patterns/store.js'
import { askGraphTimes } from '../../patterns/temporal/graph-questions.js'
import type { Claim } from '../../runs/attempt.js'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import type { Task, TaskContext } from '../task.js'
import { heeding } from './ingest.js'

type Context = TaskContext<LearnPatternsOptions>

const betweenNotesMs = 500

/** Says how far the run is (the metric `progress`, 0 to 1) twice a second at most, and each step as it is done. */
function progressOf(claim: Claim, of: { done: number; all: number; projectId: string }): NonNullable<LearnSettings['onStep']> {
  let [step, told] = [of.done * 1_000_000, Number.NEGATIVE_INFINITY]
  return (_, fraction, note) => {
    if (!note && performance.now() - told < betweenNotesMs) return
    told = performance.now()
    const value = (of.done + fraction) / of.all
    // if it cannot be written, the next thing that is awaited says so
    claim.record({ type: 'metric', name: 'progress', step: ++step, value }).catch(() => undefined)
    if (note) claim.record({ type: 'log', level: 'debug', message: `${of.projectId}: ${note}` }).catch(() => undefined)
  }
}

/** Learns one project from its ledger as of one moment, and stores what was learned as its next pattern set. */
async function learnProject(
  { platform, claim, options }: Context,
  projectId: string,
  signal: AbortSignal,
  done: number,
): Promise<PatternSet> {
  const { database, config } = platform
  const { horizonDays, gleanDaysBack: daysBack } = options
  const now = new Date()
  const since = options.since ? new Date(options.since) : null
  const onStep = progressOf(claim, { done, all: options.projectIds!.length, projectId })
  const others = {
    graph: () => askGraphTimes(database, projectId, { signal }),
    glean: () => {
      if (!options.enableGlean) throw new EspalierError('UNAVAILABLE', 'it was asked to go without Glean')
      return openGlean(config.glean)
    },
    daysBack,
  }
  const learned = await database.transaction(
    async (client) => {
      const source = await ledgerSource(client, { projectId, ...(since ? { since } : {}) }, others)
      return { ...(await learn(source, { now, signal, onStep, horizonDays })), snapshotIds: source.snapshots.map(({ id }) => id) }
    },
    { isolation: 'repeatable read' },
  )
  return savePatternSet(database, { projectId, learnedAt: now, runId: claim.run.id, since, ...learned })
}

const figuresOf = ({
  columnPatterns,
  relationshipPatterns,
  summary,
}: Pick<Patterns, 'columnPatterns' | 'relationshipPatterns' | 'summary'>) => ({
  columns: columnPatterns.columns,
  typeChanges: columnPatterns.typeChanges,
  relationships: relationshipPatterns.relationships.length,
  snapshots: summary.snapshots,
})

/** What the run tells of a pattern set: its figures, and each source of time that could not be asked. */
async function tell(claim: Claim, { id, projectId, version, patterns }: PatternSet): Promise<Properties> {
  const figures = figuresOf(patterns)
  const { columns, typeChanges, relationships, snapshots } = figures
  const message = `${id}: ${snapshots} snapshots, ${columns} columns, ${typeChanges} type changes, ${relationships} kinds of relationship`
  await claim.record({ type: 'log', level: 'info', message })
  const failed = (patterns.temporalPatterns?.combinedInsights.dataSources ?? []).filter(({ state }) => state === 'failed')
  // most estates are not exported to Glean: that is told, and no cause for alarm
  for (const { name, reason } of failed)
    await claim.record({ type: 'log', level: name === 'glean' ? 'info' : 'warn', message: `${id}: learned without ${name}: ${reason}` })
  return { patternSetId: id, projectId, version, ...figures, failedSources: failed.map(({ name }) => name) }
}

/** Learns every project that the run names, one after the other; what an earlier attempt has learned is kept. */
export const learnPatterns: Task<LearnPatternsOptions> = (context) =>
  heeding(context.claim, async (signal) => {
    const { claim, options, platform } = context
    const patternSets: Properties[] = []
    for (const [done, projectId] of options.projectIds!.entries()) {
      const set = (await readSetOfRun(platform.database, claim.run.id, projectId)) ?? (await learnProject(context, projectId, signal, done))
      patternSets.push(await tell(claim, set))
    }
    return { state: 'completed', result: { patternSets } }
  })
