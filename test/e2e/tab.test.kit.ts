import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import {
  buildPage,
  CHROMIUM,
  complaintsOf,
  hasChromium,
  launchBrowser,
  PAGE_LIMIT_MS,
} from './page.test.kit.ts'
import { type Content, createWorld, type World } from './page-server.ts'

/** The page in a browser, over a world in memory; both are new in each test. */
export type Tab = {
  readonly page: Page
  readonly context: BrowserContext
  readonly world: World
  readonly url: string
  /** What the page complained about since it was opened. */
  readonly complaints: string[]
  /** Opens it anew, as another screen shows it. */
  open(look: { width: number; scheme: 'light' | 'dark' }): Promise<void>
  signIn(path?: string): Promise<void>
  /** Another world in place of the one that was there; nobody listens for it yet. */
  renew(): World
}

/** For the tests of the block that calls it, which are skipped where there is no Chromium. */
export function useTab(contentOf: () => Content | undefined = () => undefined): Tab {
  let folder: string
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let world: World
  let url: string
  let complaints: string[]

  async function open({ width, scheme }: Parameters<Tab['open']>[0]): Promise<void> {
    await context?.close()
    context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme })
    page = await context.newPage()
    page.setDefaultTimeout(PAGE_LIMIT_MS)
    complaints = complaintsOf(page)
  }

  async function signIn(path = '/'): Promise<void> {
    await page.goto(`${url}/login?token=${world.token}`)
    await page.getByRole('heading', { name: 'Services' }).waitFor()
    if (path !== '/') await page.goto(url + path)
  }

  beforeAll(async () => {
    if (!hasChromium) return
    folder = await mkdtemp(join(tmpdir(), 'sluice-page-'))
    await buildPage(folder)
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async ({ skip }) => {
    skip(!hasChromium, `chromium is missing at ${CHROMIUM}`)
    world = createWorld(folder, contentOf())
    const listening = await world.server.listenTcp(0)
    if (listening.kind === 'failed') throw new Error(listening.problem.message)
    url = listening.value.url
    await open({ width: 1280, scheme: 'light' })
  })
  afterEach(async () => {
    await context?.close()
    await world?.server.close()
  })

  return {
    get page() {
      return page
    },
    get context() {
      return context
    },
    get world() {
      return world
    },
    get url() {
      return url
    },
    get complaints() {
      return complaints
    },
    open,
    signIn,
    renew: () => {
      world = createWorld(folder, contentOf())
      return world
    },
  }
}
