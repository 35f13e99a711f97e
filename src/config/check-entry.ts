import type { ServiceSettings } from '../core/release/settings.ts'
import { isWorker } from '../core/release/worker.ts'
import { isSelective } from '../core/shared/entry.ts'
import { takesPath } from './resolve-entry.ts'

type Trouble = { paths: string[]; message: string; remedy: string }

/** Hosts, paths and TLS that have no meaning, or leave our own requests outside. */
export function entryConflicts(settings: ServiceSettings): Trouble[] {
  if (isWorker(settings)) return ofWorker(settings)
  const { paths, prober, listen } = settings
  const shared = listen?.port === 0 && isSelective(settings) ? [anyPort(settings)] : []
  if (paths === undefined) return shared
  const stray = prober?.paths.find((path) => !takesPath(settings, path))
  const asked = settings.verify.flatMap((check) =>
    check.kind === 'journey' && check.moments.includes('after') ? check.steps.map(({ path }) => path) : [],
  )
  const unreached = asked.find((path) => !path.includes('{{') && !takesPath(settings, path))
  return [
    ...shared,
    ...(stray === undefined
      ? []
      : [outside('prober.paths', stray, 'prober.paths: a path below them, or prober: off')]),
    ...(unreached === undefined ? [] : [outside('verify', unreached, 'a path below them, or on: before')]),
  ]
}

const ofWorker = (settings: ServiceSettings): Trouble[] =>
  (['hosts', 'paths', 'tls'] as const)
    .filter((key) => settings[key] !== undefined)
    .map((key) => ({
      paths: [key, 'listen'],
      message: 'needs an address, and this service has none (listen: none)',
      remedy: 'Remove it.',
    }))

const anyPort = ({ hosts }: ServiceSettings): Trouble => ({
  paths: [hosts === undefined ? 'paths' : 'hosts', 'listen'],
  message: 'is for an address that others may share, and port 0 is another port each time',
  remedy: 'Write a port.',
})

const outside = (key: string, path: string, instead: string): Trouble => ({
  paths: [key, 'paths'],
  message: `asks for ${path}, which is outside of "paths", so that another service or nobody would answer`,
  remedy: `Write ${instead}.`,
})
