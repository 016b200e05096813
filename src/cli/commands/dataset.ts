import type { Command } from 'commander'
import { datasetChanges } from './dataset-changes.js'
import { datasetChecks } from './dataset-checks.js'
import { datasetFiles } from './dataset-files.js'
import { datasetReads } from './dataset-reads.js'
import { datasetSteps } from './dataset-steps.js'
import { datasetSuspects } from './dataset-suspects.js'

/** `espalier dataset …`: training data from file to version to file, judged and mended on the way. */
export function dataset(program: Command): void {
  const parent = program.command('dataset').description('training data: import, check, mend, split and export versions of it')
  for (const register of [datasetReads, datasetFiles, datasetChecks, datasetSuspects, datasetChanges, datasetSteps]) register(parent)
}
