import fs from 'node:fs'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { didYouMean } from './util/closest.js'
import { EspalierError } from './util/error.js'
import { type Problem, problem } from './util/problem.js'

const text = z.string().min(1)
const port = z.coerce.number().int().min(0).max(65_535)

/** Every setting, its default and what it does. No setting is needed to start. */
const settings = z.strictObject({
  home: text.default('.espalier').describe('Folder of all data: embedded Postgres, embedded graph, blobs, logs'),
  databaseUrl: text.optional().describe('Postgres to use instead of the embedded one (15 or newer)'),
  neo4j: z
    .strictObject({
      uri: text.describe('bolt:// or neo4j:// address; naming it chooses Neo4j over the embedded graph'),
      username: text.default('neo4j'),
      password: z.string().default('neo4j'),
      database: text.default('neo4j'),
    })
    .optional(),
  glean: z
    .strictObject({
      predicatePrefix: text.default('agenticAiETH.ETL').describe('Namespace of our predicates'),
      dbName: text.default('amodels').describe('Database of the glean command, or one instance of it as name/instance'),
      schemaPath: text.optional().describe('Folder or file of Angle schemas, given to every glean command'),
      queryApiUrl: text.optional().describe('REST bridge that answers POST <url>/query'),
      useCli: z.stringbool().or(z.boolean()).default(true).describe('Whether the glean command is used where it is on the PATH'),
      batchDir: text.optional().describe('Folder of batch files: read and written where there is no Glean'),
    })
    .prefault({}),
  tokens: z
    .strictObject({
      jwksUrl: z.url().optional().describe("The identity provider's published keys"),
      publicKey: text.optional().describe('Its public key, PEM (SPKI), in place of jwksUrl'),
      secret: z.string().min(32).optional().describe('A shared secret (HS256 to HS512), in place of jwksUrl'),
      issuer: text.optional().describe('Who must have issued a token'),
      audience: text.optional().describe('Whom a token must be for'),
      scopesClaim: text.default('scope').describe('Claim with the scopes, text or list'),
      projectsClaim: text.default('projects').describe('Claim with the projects, text or list; * for every project'),
    })
    .refine(({ jwksUrl, publicKey, secret }) => [jwksUrl, publicKey, secret].filter(Boolean).length === 1, {
      message: 'expected exactly one of jwksUrl, publicKey and secret',
    })
    .optional()
    .describe('JSON Web Tokens that open the API, beside API keys'),
  requestsPerMinute: z.coerce.number().int().min(1).max(1_000_000).default(6_000).describe('Requests that one key may send in a minute'),
  apiKey: text.optional().describe('Key that CLI commands send to the server'),
  host: text.default('127.0.0.1').describe('Address to listen on; loopback only while no keys are configured'),
  port: port.default(4000).describe('Port of the API; 0 takes a free one'),
  url: text.optional().describe('Server that CLI commands talk to (default: the one running on this home folder)'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  workers: z.coerce.number().int().min(0).max(64).default(1).describe('Worker processes that `serve` starts'),
  maxConcurrentJobs: z.coerce.number().int().min(1).max(64).default(5).describe('Runs that may be under way at once'),
  threads: z.coerce.number().int().min(1).max(256).default(2).describe('Threads of one training or serving session'),
  // the names of tensor/executors.ts (a test holds them together)
  executor: z
    .enum(['ort', 'ort-cuda', 'ort-webgpu', 'ort-coreml', 'ort-dml', 'tfjs', 'tfjs-node-gpu', 'tfjs-node', 'tfjs-wasm'])
    .default('ort')
    .describe('What trains: onnxruntime, on the CPU or on a device; tfjs, the best flavour that loads; or one flavour of it'),
  tfjsFolder: text.optional().describe('Folder whose node_modules hold @tensorflow/tfjs-node or -gpu, when not installed beside Espalier'),
  datasetModules: z
    .preprocess(
      (value) =>
        typeof value === 'string'
          ? value
              .split(',')
              .map((file) => file.trim())
              .filter(Boolean)
          : value,
      z.array(text),
    )
    .default([])
    .describe('JavaScript modules with rules, quality metrics and formats of the site; separated by commas in the environment'),
  introspection: z.stringbool().or(z.boolean()).default(true).describe('Whether GraphQL introspection is answered'),
})
export type Config = z.infer<typeof settings>

/** Environment variable -> path of its setting. The first of two names for one setting wins. */
const environment: Record<string, readonly string[]> = {
  ESPALIER_HOME: ['home'],
  DATABASE_URL: ['databaseUrl'],
  POSTGRES_CATALOG_DSN: ['databaseUrl'],
  NEO4J_URI: ['neo4j', 'uri'],
  NEO4J_USERNAME: ['neo4j', 'username'],
  NEO4J_PASSWORD: ['neo4j', 'password'],
  NEO4J_DATABASE: ['neo4j', 'database'],
  GLEAN_PREDICATE_PREFIX: ['glean', 'predicatePrefix'],
  GLEAN_DB_NAME: ['glean', 'dbName'],
  GLEAN_SCHEMA_PATH: ['glean', 'schemaPath'],
  GLEAN_QUERY_API_URL: ['glean', 'queryApiUrl'],
  GLEAN_USE_CLI: ['glean', 'useCli'],
  GLEAN_BATCH_DIR: ['glean', 'batchDir'],
  ESPALIER_JWKS_URL: ['tokens', 'jwksUrl'],
  ESPALIER_JWT_PUBLIC_KEY: ['tokens', 'publicKey'],
  ESPALIER_JWT_SECRET: ['tokens', 'secret'],
  ESPALIER_JWT_ISSUER: ['tokens', 'issuer'],
  ESPALIER_JWT_AUDIENCE: ['tokens', 'audience'],
  ESPALIER_API_KEY: ['apiKey'],
  ESPALIER_REQUESTS_PER_MINUTE: ['requestsPerMinute'],
  ESPALIER_HOST: ['host'],
  ESPALIER_PORT: ['port'],
  PORT: ['port'],
  ESPALIER_URL: ['url'],
  ESPALIER_LOG_LEVEL: ['logLevel'],
  ESPALIER_WORKERS: ['workers'],
  ESPALIER_MAX_CONCURRENT_JOBS: ['maxConcurrentJobs'],
  ESPALIER_THREADS: ['threads'],
  ESPALIER_EXECUTOR: ['executor'],
  ESPALIER_TFJS_FOLDER: ['tfjsFolder'],
  ESPALIER_DATASET_MODULES: ['datasetModules'],
  ESPALIER_INTROSPECTION: ['introspection'],
  ESPALIER_CONFIG: [],
}

type Tree = { [key: string]: unknown }

function setAt(tree: Tree, keys: readonly string[], value: unknown): void {
  const [head, ...rest] = keys
  if (head === undefined) return
  if (rest.length === 0) {
    tree[head] = value
    return
  }
  const child = tree[head]
  const branch = child !== null && typeof child === 'object' ? (child as Tree) : {}
  tree[head] = branch
  setAt(branch, rest, value)
}

function readFile(file: string, required: boolean): Tree {
  if (!fs.existsSync(file)) {
    if (!required) return {}
    throw new EspalierError('BAD_INPUT', `${file}: no such configuration file`, { remedy: 'Name an existing file in ESPALIER_CONFIG.' })
  }
  let parsed: unknown
  try {
    parsed = parseYaml(fs.readFileSync(file, 'utf8')) ?? {}
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: not valid YAML: ${(cause as Error).message}`, { cause })
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
    throw new EspalierError(
      'BAD_INPUT',
      `${file}: expected a mapping of settings, found ${Array.isArray(parsed) ? 'a list' : typeof parsed}`,
    )
  return parsed as Tree
}

/** The keys that are legal at `keys`, for "did you mean". */
function legalKeys(keys: readonly PropertyKey[]): string[] {
  let shape: Record<string, z.ZodType> = settings.shape
  for (const key of keys) {
    let inner = shape[String(key)] as z.ZodType | undefined
    while (inner && 'unwrap' in inner) inner = (inner as z.ZodOptional<z.ZodType>).unwrap()
    if (!(inner instanceof z.ZodObject)) return []
    shape = inner.shape
  }
  return Object.keys(shape)
}

function problemsOf(error: z.ZodError, where: string): Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys')
      return [
        problem({
          code: 'bad-setting',
          where: `${where}: ${issue.path.join('.')}`,
          found: String(issue.input ?? 'nothing'),
          expected: issue.message,
        }),
      ]
    const legal = legalKeys(issue.path)
    return issue.keys.map((key) => {
      const suggestion = didYouMean(key, legal)
      return problem({
        code: 'unknown-setting',
        where: [where, ...issue.path.map(String)].join(': '),
        found: key,
        expected: `one of ${legal.join(', ')}`,
        ...(suggestion ? { suggestion } : {}),
      })
    })
  })
}

/**
 * Reads the configuration: defaults, then `espalier.yaml` (or the file that ESPALIER_CONFIG names), then the environment, then
 * `overrides` (command-line flags). Throws BAD_INPUT that lists every problem. Relative folders are taken from `cwd`.
 */
export function readConfig(overrides: Partial<Config> = {}, env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): Config {
  const file = env['ESPALIER_CONFIG'] ?? path.join(cwd, 'espalier.yaml')
  const tree = readFile(path.resolve(cwd, file), env['ESPALIER_CONFIG'] !== undefined)
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('ESPALIER_') && !name.startsWith('ESPALIER_TEST_') && !(name in environment),
  )
  for (const [name, keys] of Object.entries(environment).reverse()) if (env[name]) setAt(tree, keys, env[name])
  for (const [name, value] of Object.entries(overrides)) if (value !== undefined) tree[name] = value
  const parsed = settings.safeParse(tree)
  const problems = [
    ...unknown.map((name) =>
      problem({
        code: 'unknown-setting',
        where: 'environment',
        found: name,
        expected: 'a variable that Espalier reads',
        suggestion: didYouMean(name, Object.keys(environment)) ?? `It reads ${Object.keys(environment).join(', ')}.`,
      }),
    ),
    ...(parsed.success ? [] : problemsOf(parsed.error, path.basename(file))),
  ]
  if (problems.length > 0 || !parsed.success)
    throw new EspalierError('BAD_INPUT', `the configuration has ${problems.length} problem(s)`, {
      problems,
      remedy: 'Mend the settings named below; none is needed to start.',
    })
  const { home, glean, tfjsFolder, datasetModules } = parsed.data
  const folders = {
    ...(glean.batchDir ? { glean: { ...glean, batchDir: path.resolve(cwd, glean.batchDir) } } : {}),
    ...(tfjsFolder ? { tfjsFolder: path.resolve(cwd, tfjsFolder) } : {}),
  }
  const modules = datasetModules.map((file) => path.resolve(cwd, file))
  return { ...parsed.data, home: path.resolve(cwd, home), ...folders, datasetModules: modules }
}
