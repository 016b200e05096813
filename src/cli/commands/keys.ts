import { type Command, InvalidArgumentError } from 'commander'
import { openShell, withApi } from '../command.js'
import { formatTable } from '../output.js'

interface Key {
  id: string
  name: string
  scopes: string[]
  projects: string[] | null
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
  revokedAt: string | null
}

const fields = '{ id name scopes projects createdAt createdBy expiresAt lastUsedAt revokedAt }'

function parseDays(text: string): number {
  const days = Number(text)
  if (!(days > 0 && Number.isFinite(days))) throw new InvalidArgumentError('expected a number of days above 0')
  return days
}

const stateOf = ({ revokedAt, expiresAt }: Key): string => {
  if (revokedAt) return 'revoked'
  if (!expiresAt) return 'valid'
  return Date.parse(expiresAt) <= Date.now() ? 'expired' : `until ${expiresAt.slice(0, 10)}`
}

export function keys(program: Command): void {
  const parent = program.command('keys').description('API keys: from the first one on, the server asks everyone for one')
  parent
    .command('create')
    .description('make a key; the token is shown once')
    .requiredOption('--name <text>', 'who or what will use it')
    .requiredOption('--scopes <scopes...>', 'e.g. catalog:read catalog:write, or admin')
    .option('--projects <ids...>', 'limit it to these projects')
    .option('--days <n>', 'how long it is good for (default: until it is revoked)', parseDays)
    .action(async ({ name, scopes, projects, days }, command: Command) => {
      const shell = openShell(command)
      const expiresAt = days ? new Date(Date.now() + days * 86_400_000).toISOString() : null
      const { createKey } = await withApi(shell, (api) =>
        api.request<{ createKey: { key: Key; token: string } }>(
          `mutation ($input: NewKeyInput!) { createKey(input: $input) { token key ${fields} } }`,
          { input: { name, scopes, projects, expiresAt } },
        ),
      )
      shell.output.answer(createKey, `${createKey.token}\n\nThis is shown once. Send it as X-API-Key, or set ESPALIER_API_KEY.`)
    })
  parent
    .command('list')
    .description('all keys, without their secrets')
    .action(async (_flags, command: Command) => {
      const shell = openShell(command)
      const { keys: all } = await withApi(shell, (api) => api.request<{ keys: Key[] }>(`{ keys ${fields} }`))
      const rows = all.map((key) => [
        key.id,
        key.name,
        stateOf(key),
        key.scopes.join(' '),
        key.projects?.join(' ') ?? 'all',
        key.lastUsedAt?.slice(0, 16) ?? 'never',
      ])
      shell.output.answer(all, formatTable(['id', 'name', 'state', 'scopes', 'projects', 'last used'], rows))
    })
  parent
    .command('revoke')
    .description('shut a key out')
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      const { revokeKey } = await withApi(shell, (api) =>
        api.request<{ revokeKey: Key }>(`mutation ($id: ID!) { revokeKey(id: $id) ${fields} }`, { id }),
      )
      shell.output.answer(revokeKey, `key ${revokeKey.id} (${revokeKey.name}) opens nothing any more`)
    })
}
