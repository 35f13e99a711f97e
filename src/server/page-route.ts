import type { Context } from 'hono'
import { problem } from '../core/shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import type { PageFile, PageFiles } from './page-files.ts'
import { problemResponse } from './problem-response.ts'

/** The page: its files, and `index.html` for every address that the page itself understands. */
export async function answerPage(c: Context<AppEnv>, pageFiles: PageFiles): Promise<Response> {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return notFound(c)
  const files = await pageFiles()
  if (files === null) return c.text('The page is not built. Run: npm run build -w web\n', 503)
  const file = files.get(c.req.path)
  const hashed = c.req.path.startsWith('/assets/')
  if (file !== undefined) return send(c, file, hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  const index = files.get('/index.html')
  if (
    hashed ||
    index === undefined ||
    (/\.[a-z0-9]{2,5}$/i.test(lastSegment(c.req.path)) && !isAddress(c.req.path))
  )
    return notFound(c)
  return send(c, index, 'no-cache')
}

/** Streams hold a dot (`/services/shop.local`), so an ending says nothing there. */
const isAddress = (path: string): boolean => /^\/(services|rollouts)\//.test(path)

const lastSegment = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function send(c: Context<AppEnv>, { body, type, etag }: PageFile, cacheControl: string): Response {
  c.header('cache-control', cacheControl)
  c.header('etag', etag)
  if (c.req.header('if-none-match') === etag) return c.body(null, 304)
  return c.body(body, 200, { 'content-type': type })
}

const notFound = (c: Context<AppEnv>): Response =>
  problemResponse(
    c,
    problem('PATH_NOT_FOUND', {
      message: `There is nothing at ${c.req.method} ${c.req.path.slice(0, 200)}.`,
      remedy: 'The page is at /, the API is described in /api/v1/openapi.json.',
    }),
  )
