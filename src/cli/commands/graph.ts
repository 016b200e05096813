import type { Command } from 'commander'
import { openShell, withApi } from '../command.js'

export function graph(program: Command): void {
  program
    .command('graph')
    .description('the graph that is projected from the ledger')
    .command('rebuild')
    .description('drop the graph and replay it from the ledger')
    .action(async (_flags, command: Command) => {
      const shell = openShell(command)
      const { rebuildGraph } = await withApi(shell, (api) =>
        api.request<{ rebuildGraph: { nodes: number; edges: number } }>('mutation { rebuildGraph { nodes edges } }'),
      )
      shell.output.answer(rebuildGraph, `rebuilt: ${rebuildGraph.nodes} nodes, ${rebuildGraph.edges} edges`)
    })
}
