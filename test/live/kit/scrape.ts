import { request } from 'node:http'
import path from 'node:path'
import type { Stack } from './stack.ts'

const SCRAPE_LIMIT_MS = 20_000

/** What a scraper reads: a number for each series, under its name with its labels in order. */
export type Scraped = {
  text: string
  /** @example scraped.value('sluice_rollouts_total', { outcome: 'promoted' }) adds all series up that have these labels */
  value(name: string, labels?: Record<string, string>): number
  /** Names that have at least one number. */
  names: Set<string>
}

/** Over the private socket, as `curl --unix-socket` would. */
export async function scrape({ state }: Pick<Stack, 'state'>, url = '/metrics'): Promise<Scraped> {
  return parse((await getText(path.join(state, 'controller.sock'), url)).text)
}

export function getText(socketPath: string, url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(SCRAPE_LIMIT_MS)
    const call = request({ socketPath, path: url, agent: false, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    call.on('error', reject)
    call.end()
  })
}

type Series = { name: string; labels: Record<string, string>; value: number }

function parse(text: string): Scraped {
  const series = text.split('\n').flatMap(seriesOf)
  return {
    text,
    names: new Set(series.map(({ name }) => name)),
    value: (name, labels = {}) =>
      series
        .filter(
          (one) =>
            one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
        )
        .reduce((sum, { value }) => sum + value, 0),
  }
}

function seriesOf(line: string): Series[] {
  const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined || line.startsWith('#')) return []
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
}
