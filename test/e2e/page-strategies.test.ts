import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  buildPage,
  CHROMIUM,
  complaintsOf,
  hasChromium,
  launchBrowser,
  overflowOf,
  PAGE_LIMIT_MS,
  seriousViolationsOf,
  takePicture,
} from './page.test.kit.ts'
import { createWorld, type World } from './page-server.ts'
import { strategyContent } from './page-strategies.ts'

describe('the page of each strategy', () => {
  let folder: string
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let world: World
  let url: string
  let complaints: string[]

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
    world = createWorld(folder, strategyContent(Date.now()))
    const listening = await world.server.listenTcp(0)
    if (listening.kind === 'failed') throw new Error(listening.problem.message)
    url = listening.value.url
  })

  afterEach(async () => {
    await context?.close()
    await world?.server.close()
  })

  async function open(service: string, { width = 1280, scheme = 'light' as 'light' | 'dark' } = {}) {
    await context?.close()
    context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme })
    page = await context.newPage()
    page.setDefaultTimeout(PAGE_LIMIT_MS)
    complaints = complaintsOf(page)
    await page.goto(`${url}/login?token=${world.token}`)
    await page.getByRole('heading', { name: 'Services' }).waitFor()
    await page.goto(`${url}/services/${service}.local`)
    await page.locator('h1').waitFor()
  }
  const region = (name: string) => page.getByRole('region', { name, exact: true })

  it('shows who reached the goal of an A/B test, how surely, and for how long yet', async () => {
    await open('pay')
    const panel = region('A/B test')
    await panel.getByText('POST /orders').waitFor()
    const rows = await panel.getByRole('row').allInnerTexts()
    expect(rows.map((text) => text.replace(/\s+/g, ' '))).toEqual([
      expect.stringContaining('Rate'),
      expect.stringMatching(/control .*50% .*5,120 .*400 .*7\.8%/),
      expect.stringMatching(/green .*25% .*2,533 .*340 .*13\.4% .*1\.70 × .*Better/),
      expect.stringMatching(/blue .*25% .*2,561 .*120 .*4\.7% .*0\.60 × .*Worse/),
    ])
    await panel.getByText(/13d 23h left/).waitFor()
  })

  it('does not make up how many users there are where the service says who they are', async () => {
    await open('search')
    const panel = region('A/B test')
    await panel.getByText('how many there are is not known').waitFor()
    const green = await panel.getByRole('row', { name: /^green/ }).innerText()
    expect(green.replace(/\s+/g, ' ')).toMatch(/– .*2 .*–/)
    expect(await panel.getByText('Not decided').count()).toBe(2)
  })

  it('shows the batches of a rolling release beside its traffic', async () => {
    await open('cart')
    await region('Traffic to 1.1.0').waitFor()
    const panel = region('Batches')
    await panel.getByText('batch 2 of 6').waitFor()
    expect(await panel.getByText(/instances ready/).allInnerTexts()).toEqual([
      '2 instances ready',
      '4 instances ready, 1 leaving',
    ])
    expect(await panel.locator('.marks .is-ready').count()).toBe(6)
  })

  it('speaks of instances and not of traffic where nobody sends requests', async () => {
    await open('mails')
    await page.getByRole('heading', { name: /25% of the instances/ }).waitFor()
    await region('Batches').getByText('1.1.0 is 25% of the instances that take work.').waitFor()
    expect(await page.getByText(/traffic/i).allInnerTexts()).toEqual([])
    expect(await region('Loss').count()).toBe(0)
  })

  it('shows the preview with its state, and who else reaches the candidate', async () => {
    await open('web')
    const panel = region('Besides the traffic')
    await panel.getByRole('link', { name: '127.0.0.1:8090' }).waitFor()
    await panel.getByText('shows 1.1.0').waitFor()
    await panel.getByText('Requests whose header x-tester is "1" go to 1.1.0.').waitFor()
    world.change('web.local', (view) => ({
      ...view,
      besides: [
        {
          kind: 'preview',
          sentence: '127.0.0.1:8090 has nothing to show',
          shows: { address: '127.0.0.1:8090', version: null },
        },
      ],
    }))
    await panel.getByText('Nothing to show yet').waitFor()
    world.change('web.local', ({ besides: _, ...view }) => view)
    await panel.waitFor({ state: 'detached' })
  })

  it('draws the plan when somebody opens it, and says when it is gone', async () => {
    await open('web')
    const panel = region('Plan')
    await panel.getByText('Share, instances and ways back over time').click()
    await panel.getByRole('img', { name: /way back A/ }).waitFor()
    await panel.getByText('At its peak 4 instances run').waitFor()
    world.change('web.local', (view) => ({
      ...view,
      rollout: view.rollout && { ...view.rollout, plan: { id: 'plan-lost', hash: '' } },
    }))
    await panel.getByText('There is no plan "plan-lost".').waitFor()
  })

  it.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('can be read by everybody, in %s at %i px', async (scheme, width) => {
    for (const service of ['pay', 'search', 'cart', 'mails', 'web']) {
      await open(service, { width, scheme })
      await page.getByText('Share, instances and ways back over time').click()
      await region('Plan').getByRole('img').waitFor()
      expect([service, await seriousViolationsOf(page)]).toEqual([service, []])
      await expect.poll(async () => [service, await overflowOf(page)]).toEqual([service, 0])
      expect(complaints).toEqual([])
      await takePicture(page, `${service}-${scheme}-${width}`)
    }
  })
})
