import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import { Router } from 'express'
import type { ApiPlatform } from '../context.js'
import { datasetSeries } from '../training-data/metrics.js'
import type { Identified } from './callers.js'

export interface Series {
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  /** labels in Prometheus' own spelling, `{outcome="ok"}` -> value; of a histogram with what the sample is: `_bucket{le="1"}` */
  values: Map<string, number>
}

/** Prometheus' text format 0.0.4. */
export function printMetrics(series: ReadonlyMap<string, Series>): string {
  const blocks = [...series].map(([name, { help, type, values }]) =>
    [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...[...values].map(([labels, value]) => `${name}${labels} ${value}`)].join('\n'),
  )
  return `${blocks.join('\n')}\n`
}

export interface RequestMetrics {
  plugin: ApolloServerPlugin<BaseContext>
  routes: Router
}

/** Counts what Apollo answers, and serves it on `/metrics` with the state of projection, serving and process. */
export function requestMetrics({
  projection,
  serving,
  database,
}: Pick<ApiPlatform, 'projection' | 'serving' | 'database'>): RequestMetrics {
  const requests = new Map<string, number>()
  const seconds = new Map<string, number>()
  const add = (to: Map<string, number>, labels: string, n: number) => to.set(labels, (to.get(labels) ?? 0) + n)
  const plugin: ApolloServerPlugin<BaseContext> = {
    async requestDidStart() {
      const began = performance.now()
      return {
        async willSendResponse({ operation, errors }) {
          const labels = `{operation="${operation?.operation ?? 'none'}",outcome="${errors?.length ? 'error' : 'ok'}"}`
          add(requests, labels, 1)
          add(seconds, labels, (performance.now() - began) / 1_000)
        },
      }
    },
  }
  const one = (value: number | null): Map<string, number> => new Map(value === null ? [] : [['', value]])
  const routes = Router()
  routes.get('/metrics', async (_request, response) => {
    const { latency, cache, pending } = serving.statistics()
    const lag = await projection.lag().catch(() => null)
    const quantiles = new Map([
      ...(latency.p50 === null ? [] : [['{quantile="0.5"}', latency.p50 / 1_000] as const]),
      ...(latency.p99 === null ? [] : [['{quantile="0.99"}', latency.p99 / 1_000] as const]),
    ])
    const series = new Map<string, Series>([
      ...(await datasetSeries(database, (response as Identified).locals.principal).catch(() => [])),
      ['espalier_graphql_requests_total', { help: 'GraphQL requests answered by HTTP', type: 'counter', values: requests }],
      ['espalier_graphql_seconds_total', { help: 'Time spent on them', type: 'counter', values: seconds }],
      [
        'espalier_projection_lag_changes',
        { help: 'Changes that the graph is behind the ledger, at most', type: 'gauge', values: one(lag) },
      ],
      ['espalier_serving_latency_seconds', { help: 'Of ranking requests, over the last ones', type: 'gauge', values: quantiles }],
      ['espalier_serving_pending_lists', { help: 'Lists waiting or being scored', type: 'gauge', values: one(pending) }],
      ['espalier_serving_cache_hits_total', { help: 'Lists answered from the cache', type: 'counter', values: one(cache.hits) }],
      ['espalier_serving_cache_misses_total', { help: 'Lists that had to be scored', type: 'counter', values: one(cache.misses) }],
      ['process_resident_memory_bytes', { help: 'Resident memory', type: 'gauge', values: one(process.memoryUsage.rss()) }],
      ['process_uptime_seconds', { help: 'Since the process began', type: 'gauge', values: one(process.uptime()) }],
    ])
    response.type('text/plain; version=0.0.4').send(printMetrics(series))
  })
  return { plugin, routes }
}
