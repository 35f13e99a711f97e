import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { NO_SIDE_ROUTES } from '../core/shared/side-routes.ts'
import { damagedContent } from '../testkit/damage.test.kit.ts'
import { EMPTY_ROUTES, loadRoutes, RoutesFile } from './routes-file.ts'

const SOUND: RoutesFile = {
  schema: 1,
  services: {
    'shop.local': {
      routes: {
        service: 'shop.local',
        token: { epoch: 1, sequence: 2, rollout: null },
        listen: { host: '127.0.0.1', port: 8080 },
        stable: 'r1',
        sets: [
          {
            release: 'r1',
            version: '1.0.0',
            weightPermille: 1000,
            instances: [{ id: 'i1', host: '127.0.0.1', port: 9000, state: 'active' }],
          },
        ],
        drain: { requestsMs: 1000, websocketsMs: 1000 },
        slowStartMs: 0,
        onControllerLoss: { kind: 'hold' },
        probeKey: 'k',
        ...NO_SIDE_ROUTES,
      },
      listening: { host: '127.0.0.1', port: 8080 },
      reverted: null,
    },
  },
  highestTokens: { 'shop.local': { epoch: 1, sequence: 2, rollout: null } },
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-routes-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

it('reads what it wrote', () => {
  expect(RoutesFile.parse(JSON.parse(JSON.stringify(SOUND)))).toEqual(SOUND)
})

it('serves a table that is whole and moves any other one aside, byte for byte', async () => {
  const file = path.join(folder, 'routes.json')
  const content = damagedContent(SOUND)
  await fc.assert(
    fc.asyncProperty(content, async (text) => {
      writeFileSync(file, text)
      const loaded = await loadRoutes(folder, new Date(0))
      if (loaded.damaged === null) {
        expect(RoutesFile.parse(loaded.routes)).toEqual(loaded.routes)
        return
      }
      expect(loaded.routes).toEqual(EMPTY_ROUTES)
      expect(readFileSync(loaded.damaged, 'utf8')).toBe(text)
      expect(readdirSync(folder)).not.toContain('routes.json')
    }),
    { numRuns: 100 },
  )
})
