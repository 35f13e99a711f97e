import type { Hono, Context as Request } from 'hono'
import type { AppEnv } from './app-env.ts'
import type { ScrapedProcess, Settings } from './options.ts'
import { problemResponse } from './problem-response.ts'

/**
 * The numbers of the controller and, passed on, those of proxy and agent: these two listen on private sockets, where no
 * scraper reaches them. Each process is a target of its own, so that a scraper sees which one does not answer.
 */
export function addMetrics<Context>(app: Hono<AppEnv>, settings: Settings<Context>): void {
  const answer = async (c: Asked, process: ScrapedProcess): Promise<Response> => {
    const scraped = await settings.scrape(process, c.req.header('accept') ?? '')
    if (scraped.kind === 'failed') return problemResponse(c, scraped.problem)
    const { contentType, text } = scraped.value
    return c.body(text, 200, { 'content-type': contentType })
  }
  app.get('/metrics', (c) => answer(c, 'controller'))
  app.get('/metrics/proxy', (c) => answer(c, 'proxy'))
  app.get('/metrics/agent', (c) => answer(c, 'agent'))
}

type Asked = Request<AppEnv>
