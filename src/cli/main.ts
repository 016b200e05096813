#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { reportFailure } from './command.js'
import { annotate } from './commands/annotate.js'
import { artifacts } from './commands/artifacts.js'
import { cypher } from './commands/cypher.js'
import { dataset } from './commands/dataset.js'
import { deleteCommand } from './commands/delete.js'
import { demo } from './commands/demo.js'
import { doctor } from './commands/doctor.js'
import { glean } from './commands/glean.js'
import { graph } from './commands/graph.js'
import { ingest } from './commands/ingest.js'
import { keys } from './commands/keys.js'
import { learn } from './commands/learn.js'
import { lineage } from './commands/lineage.js'
import { migrateCommand } from './commands/migrate.js'
import { patterns } from './commands/patterns.js'
import { pipeline } from './commands/pipeline.js'
import { predict } from './commands/predict.js'
import { projects } from './commands/projects.js'
import { runs } from './commands/runs.js'
import { search } from './commands/search.js'
import { serve } from './commands/serve.js'
import { train } from './commands/train.js'
import { worker } from './commands/worker.js'
import { workflow } from './commands/workflow.js'

const program = new Command('espalier')
  .description('A temporal knowledge graph of a data estate, that trains, checks and serves its own models')
  .option('--json', 'answer with one JSON document')
  .option('--home <folder>', 'data folder (default .espalier, or ESPALIER_HOME)')
  .option('--url <url>', 'GraphQL endpoint of a running server (default: the one on the data folder)')
  .showSuggestionAfterError()
  .exitOverride()

for (const register of [
  demo,
  serve,
  worker,
  ingest,
  learn,
  pipeline,
  patterns,
  predict,
  dataset,
  train,
  runs,
  artifacts,
  cypher,
  search,
  lineage,
  annotate,
  keys,
  projects,
  deleteCommand,
  glean,
  graph,
  migrateCommand,
  workflow,
  doctor,
])
  register(program)
// A command added later inherits neither exitOverride nor the global flags' place in its help.
for (const command of program.commands) for (const each of [command, ...command.commands]) each.exitOverride().showSuggestionAfterError()

// whoever reads may stop before the end (`| head`): the rest is said to nobody, and the command ends as it would have
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

try {
  await program.parseAsync()
} catch (thrown) {
  // Commander has said what was wrong; misuse is status 2.
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2
  else process.exitCode = reportFailure(thrown, program.opts<{ json?: boolean }>().json ?? false)
}
