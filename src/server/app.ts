import { type Handler, Hono } from 'hono'
import { addAlerts } from './alert-route.ts'
import type { AppEnv } from './app-env.ts'
import type { Door } from './door.ts'
import { answerEvents, type EventClients } from './event-route.ts'
import { hostAndOrigin, sideGate, socketGate, tcpGate } from './gate.ts'
import { addHealth } from './health-route.ts'
import { addLogin } from './login.ts'
import { createLoginLimit } from './login-limit.ts'
import { addMetrics } from './metrics-route.ts'
import { openApi } from './openapi.ts'
import { answerOperation, internalError } from './operation-route.ts'
import type { Settings } from './options.ts'
import { createPageFiles } from './page-files.ts'
import { answerPage } from './page-route.ts'
import { limitBody } from './read-json.ts'
import { securityHeaders } from './security-headers.ts'

/** All routes behind one door. Both doors have the same routes; only what guards them differs. */
export function createApp<Context>(
  settings: Settings<Context>,
  door: Door,
  clients: EventClients,
): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use(securityHeaders)
  addGuards(app, settings, door)
  addHealth(app, settings)
  addMetrics(app, settings)
  addAlerts(app, settings)
  app.get('/api/v1/openapi.json', (c) => c.json(openApi(settings.operations, settings.version)))
  app.get('/api/v1/events', (c) => answerEvents(c, settings, clients))
  app.all('/api/v1/:operation', (c) => answerOperation(c, settings))
  const page: Handler<AppEnv> = (c) => answerPage(c, pageFiles)
  const pageFiles = createPageFiles(settings.pageFolder)
  app.all('*', page)
  app.onError((error, c) => internalError(c, settings.log, error))
  return app
}

function addGuards<Context>(app: Hono<AppEnv>, settings: Settings<Context>, door: Door): void {
  if (door.kind === 'socket') {
    app.use('/api/*', socketGate(settings.owner))
    app.use(limitBody)
    return
  }
  const { token, now, owner } = settings
  const gate = { token, now, owner, port: door.port, limit: createLoginLimit(now) }
  app.use(hostAndOrigin(door.port))
  app.use('/api/*', tcpGate(gate))
  // Also what lies below it.
  app.use('/metrics/*', sideGate(gate, settings.scrapeToken ?? null))
  app.use('/alerts/*', sideGate(gate, settings.alertToken ?? null))
  app.use(limitBody)
  addLogin(app, gate)
}
