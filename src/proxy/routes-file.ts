import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ListenAddress } from '../core/shared/listen-address.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { RouterState } from '../core/shared/router-state.ts'
import { ServiceRoutes } from '../core/shared/routes.ts'
import { FencingToken } from '../core/shared/token.ts'

/** Everything the data plane must still know after `kill -9`. */
export const RoutesFile = z.strictObject({
  schema: z.literal(1),
  services: z.record(
    z.string(),
    z.strictObject({
      /** As the controller set them, so that a repeat of its call is recognised. */
      routes: ServiceRoutes,
      /** The address in force: the port that the system chose when 0 was asked for is asked for again. */
      listening: ListenAddress,
      reverted: RouterState.shape.reverted,
    }),
  ),
  /** Outlives the service: a controller of the past may not bring it back. */
  highestTokens: z.record(z.string(), FencingToken),
})
export type RoutesFile = z.infer<typeof RoutesFile>

export const EMPTY_ROUTES: RoutesFile = { schema: 1, services: {}, highestTokens: {} }

/** What was found at start. `damaged` names where a file that cannot be trusted was moved to. */
export type LoadedRoutes = { routes: RoutesFile; damaged: string | null }

const NAME = 'routes.json'

export async function loadRoutes(folder: string, now: Date): Promise<LoadedRoutes> {
  const path = join(folder, NAME)
  const text = await readText(path)
  if (text === null) return { routes: EMPTY_ROUTES, damaged: null }
  const parsed = RoutesFile.safeParse(parseJson(text))
  if (parsed.success) return { routes: parsed.data, damaged: null }
  // Half a table would send real traffic to the wrong place: refuse to guess, keep the evidence.
  const damaged = `${path}.damaged-${now.toISOString().replaceAll(':', '-')}`
  await rename(path, damaged)
  return { routes: EMPTY_ROUTES, damaged }
}

/** The routes of a process that serves, for the one that takes over: what cannot be read stays where it is. */
export async function readRoutes(folder: string): Promise<Result<RoutesFile>> {
  const text = await readText(join(folder, NAME))
  if (text === null) return ok(EMPTY_ROUTES)
  const parsed = RoutesFile.safeParse(parseJson(text))
  return parsed.success ? ok(parsed.data) : failed(notReadable(z.prettifyError(parsed.error)))
}

const notReadable = (cause: string) =>
  problem('PROXY_UPGRADE_FAILED', {
    message: 'The new proxy does not understand the routes that the old one keeps on disk.',
    cause,
    remedy:
      'The old one serves on. Use a version that can read them; to go on with this one, stop the proxy in a quiet hour (sluice down, sluice up).',
  })

function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

/** Durable and atomic: after a crash the file is the old or the new one, whole. */
export async function saveRoutes(folder: string, routes: RoutesFile): Promise<void> {
  const path = join(folder, NAME)
  const temporary = `${path}.new`
  await writeSynced(temporary, JSON.stringify(routes))
  await rename(temporary, path)
  await syncFolder(folder)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The rename itself is durable only once the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
