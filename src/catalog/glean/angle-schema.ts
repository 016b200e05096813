import { assertPrefix, type Keys, type Predicate, predicates, predicateVersion } from './predicates.js'

const shares = '[TypeShare]'

/** Fields of every key with their Angle types, in order. A test holds them against the keys that are written. */
export const keyFields: { [P in Predicate]: { [F in keyof Keys[P]]: string } } = {
  ExportManifest: {
    exported_at: 'string',
    exported_at_epoch: 'nat',
    project_id: 'string',
    system_id: 'string',
    node_count: 'nat',
    edge_count: 'nat',
    export_file: 'string',
    metadata_entropy: 'string',
    kl_divergence: 'string',
    column_count: 'nat',
    actual_distribution: shares,
    ideal_distribution: shares,
    metrics_calculated_at: 'string',
  },
  Node: {
    id: 'string',
    kind: 'string',
    label: 'string',
    project_id: 'string',
    system_id: 'string',
    exported_at: 'string',
    exported_at_epoch: 'nat',
    properties_json: 'string',
  },
  Edge: {
    source: 'string',
    target: 'string',
    label: 'string',
    project_id: 'string',
    system_id: 'string',
    exported_at: 'string',
    exported_at_epoch: 'nat',
    properties_json: 'string',
  },
  TrainingMetrics: {
    run_id: 'string',
    project_id: 'string',
    system_id: 'string',
    model: 'string',
    exported_at: 'string',
    exported_at_epoch: 'nat',
    metrics: '[Metric]',
    properties_json: 'string',
  },
}

const about: Record<Predicate, string> = {
  ExportManifest: 'One per export: what was exported, and its metrics. Decimals are text, shares are millionths.',
  Node: 'A node of the catalog. properties_json is a JSON object.',
  Edge: 'An edge between two nodes, by their ids. properties_json is a JSON object.',
  TrainingMetrics: 'What a training run came to. Decimals are text.',
}

const record = (fields: object): string =>
  `{\n${Object.entries(fields)
    .map(([name, type]) => `    ${name} : ${type},`)
    .join('\n')}\n  }`

/** The Angle schema of our predicates under a namespace: schema/espalier.angle is this text for the default one. */
export function printAngleSchema(prefix: string): string {
  assertPrefix(prefix)
  const definitions = predicates.map((name) => `# ${about[name]}\npredicate ${name} :\n  ${record(keyFields[name])}`)
  return `# Facts that Espalier exchanges with Glean (https://glean.software).

schema ${prefix}.${predicateVersion} {

type TypeShare =
  ${record({ type: 'string', ppm: 'nat' })}

type Metric =
  ${record({ name: 'string', value: 'string' })}

${definitions.join('\n\n')}

}
`
}
