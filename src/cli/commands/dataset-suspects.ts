import { type Command, Option } from 'commander'
import { openShell, type Shell, withApi } from '../command.js'
import { findVersion } from '../dataset-names.js'
import { formatTable } from '../output.js'

interface Noise {
  noise: number
  examples: number
  classes: number
  suspects: { row: number; key: string; text: string; label: string; suggested: string; probability: number }[]
}

const shown = 20
const query = `query ($id: ID!, $labelSet: String, $sample: Int!) { suspectLabels(versionId: $id, labelSet: $labelSet, sample: $sample) {
  noise examples classes agreement suspects { row key text label suggested probability suggestedProbability } } }`

async function suspects(shell: Shell, name: string, { set, sample }: { set?: string; sample: string }): Promise<void> {
  const { version, found } = await withApi(shell, async (api) => {
    const version = await findVersion(api, name)
    const variables = { id: version.id, labelSet: set ?? null, sample: Number(sample) }
    return { version, found: (await api.request<{ suspectLabels: Noise }>(query, variables)).suspectLabels }
  })
  const rows = found.suspects
    .slice(0, shown)
    .map(({ row, label, suggested, probability, text }) => [row, label, suggested, probability.toFixed(3), text.slice(0, 60)])
  const head = `${version.datasetName} ${version.number}: about ${(100 * found.noise).toFixed(1)} % of ${found.examples} labels look wrong (${found.classes} classes)`
  shell.output.answer(found, rows.length === 0 ? head : `${head}\n${formatTable(['row', 'label', 'suggested', 'p(label)', 'text'], rows)}`)
}

/** Which labels to look at again. */
export function datasetSuspects(parent: Command): void {
  parent
    .command('suspects <version>')
    .description('labels that look wrong, by classifiers that have not seen their rows')
    .addOption(new Option('--set <name>', 'label set').choices(['intent', 'sentiment', 'persona', 'relation']))
    .option('--sample <rows>', 'rows drawn at random to judge by', '5000')
    .action((name: string, flags: { set?: string; sample: string }, command: Command) => suspects(openShell(command), name, flags))
}
