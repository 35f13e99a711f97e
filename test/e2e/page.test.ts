/// <reference lib="dom" />
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ServiceView } from '../../src/core/rollout/view/view.ts'
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
  violationsOf,
} from './page.test.kit.ts'
import { createWorld, type World } from './page-server.ts'

describe('page', () => {
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
    world = createWorld(folder)
    const listening = await world.server.listenTcp(0)
    if (listening.kind === 'failed') throw new Error(listening.problem.message)
    url = listening.value.url
    await openPage({ width: 1280, height: 900 })
  })

  afterEach(async () => {
    await context?.close()
    await world?.server.close()
  })

  async function openPage(
    viewport: { width: number; height: number },
    colorScheme: 'light' | 'dark' = 'light',
  ) {
    await context?.close()
    context = await browser.newContext({ viewport, colorScheme })
    page = await context.newPage()
    page.setDefaultTimeout(PAGE_LIMIT_MS)
    complaints = complaintsOf(page)
  }

  async function signIn(path = '/') {
    await page.goto(`${url}/login?token=${world.token}`)
    await page.getByRole('heading', { name: 'Services' }).waitFor()
    if (path !== '/') await page.goto(url + path)
  }

  const shop = () => signIn('/services/shop.local')
  const title = () => page.locator('h1')

  it('signs in by the address from the terminal and leaves no token in it', async () => {
    await signIn()
    expect(page.url()).toBe(`${url}/`)
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    await expect.poll(() => page.locator('.service-card').count()).toBe(3)
    expect(complaints).toEqual([])
  })

  it('asks for the token without a session and goes on with the page that was asked for', async () => {
    await page.goto(`${url}/services/shop.local`)
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The token is wrong.').waitFor()
    await page.getByLabel('Token').fill(world.token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('shop 1.1.0 in local: step 5 of 12').waitFor()
  })

  it('shows what happens within a moment of it, in the sentence, the tab and its icon', async () => {
    await shop()
    await page.getByText('Live', { exact: true }).waitFor()
    await expect.poll(() => page.title()).toBe('25% · shop 1.1.0 · Sluice')
    const icon = await page.locator('link[rel=icon]').getAttribute('href')
    world.change('shop.local', (view) =>
      withRollout(view, { sentence: 'Now it is paused.', state: 'paused' }),
    )
    await page.getByRole('heading', { name: 'Now it is paused.' }).waitFor()
    await page.waitForFunction(() => document.title.startsWith('Paused'))
    await expect.poll(() => page.locator('link[rel=icon]').getAttribute('href')).not.toBe(icon)
    expect(complaints).toEqual([])
  })

  it('shows desired and observed traffic apart and warns when they differ', async () => {
    await shop()
    world.change('shop.local', (view) =>
      withRollout(view, { weight: { desiredPermille: 500, observedPermille: 250 } }),
    )
    await page.getByText('The router sends 25%, not 50%.').waitFor()
    await page.getByRole('img', { name: 'Traffic to 1.1.0: 50% wanted, 25% observed' }).waitFor()
    world.change('shop.local', (view) =>
      withRollout(view, { weight: { desiredPermille: 500, observedPermille: null } }),
    )
    await page.getByText('The router has not confirmed the weight yet.').waitFor()
  })

  it('says how long it is stale when the controller is gone, and lives again with it', async () => {
    await shop()
    await page.getByText('Live', { exact: true }).waitFor()
    const port = Number(new URL(url).port)
    await world.server.close()
    await page.getByText(/Stale for \d+s/).waitFor()
    await title().waitFor()
    // The port was given back: one of the page's own attempts may be using it just now.
    await expect
      .poll(async () => {
        world = createWorld(folder)
        return (await world.server.listenTcp(port)).kind
      })
      .toBe('ok')
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it('promotes after a confirmation that says what will happen', async () => {
    await shop()
    await page.getByRole('button', { name: 'Promote', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('goes on with "traffic 50%"').waitFor()
    expect(world.calls).toEqual([])
    await dialog.getByRole('button', { name: 'Promote' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(world.calls).toEqual([
      { name: 'promote', input: { service: 'shop', environment: 'local' }, actor: 'ada', face: 'page' },
    ])
  })

  it('aborts only with a reason, and not after cancelling', async () => {
    await shop()
    await page.getByRole('button', { name: 'Abort' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('All traffic goes back to 1.0.0 at once.').waitFor()
    await dialog.getByRole('button', { name: 'Abort' }).click({ force: true })
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(world.calls).toEqual([])
    await page.getByRole('button', { name: 'Abort' }).click()
    await dialog.getByLabel('Reason').fill('wrong build')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(world.calls).toMatchObject([{ name: 'abort', input: { reason: 'wrong build' } }])
  })

  it('asks for the name of the service in production', async () => {
    await signIn('/services/api.production')
    await page.getByRole('button', { name: 'Roll back' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('orders fail')
    expect(await dialog.getByRole('button', { name: 'Roll back' }).getAttribute('aria-disabled')).toBe('true')
    await dialog.getByLabel('This is production').fill('api')
    await dialog.getByRole('button', { name: 'Roll back' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(world.calls).toMatchObject([
      { name: 'rollback', input: { service: 'api', environment: 'production' } },
    ])
  })

  it('says in words why a button cannot be used', async () => {
    await shop()
    const resume = page.getByRole('button', { name: 'Resume' })
    expect(await resume.getAttribute('aria-disabled')).toBe('true')
    await page.getByText('It is not paused.').waitFor()
    await resume.click({ force: true })
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('shows the failure, the last problem of the instance and its log', async () => {
    await signIn('/services/api.production')
    await page.getByText('Run the migration of 2.4.0 first, then deploy it again.').waitFor()
    await page.getByText('database migrations are missing').waitFor()
    await page.getByText('relation "orders_v2" does not exist').last().waitFor()
    await page.getByText('0 of 7,301 requests lost').waitFor()
  })

  it('shows the risk that the plan had, what it was judged by, and where another strategy would fit', async () => {
    await shop()
    const panel = page.getByRole('region', { name: 'Risk' })
    await panel.getByText('High risk by scope of change.').waitFor()
    await panel.getByText('The strategy that fits is blue-green; the file asks for canary').waitFor()
    await panel.getByText('What it is judged by').click()
    await panel.getByText('The schema of the data changes: 41 → 42.').waitFor()
    expect(await violationsOf(page)).toEqual([])
    await picture('risk')
  })

  it('keeps an old rollout under its own address, reached from the history', async () => {
    await shop()
    await page.getByRole('link', { name: '0.9.8 → 1.0.0' }).nth(1).click()
    await page.getByRole('heading', { name: 'api 2.4.0 in production: rolled back.' }).waitFor()
    expect(page.url()).toBe(`${url}/rollouts/rollout-5c1x0d`)
    await page.goto(`${url}/rollouts/rollout-nothing`)
    await page.getByText('There is no rollout "rollout-nothing".').waitFor()
  })

  it('can be worked with the keyboard alone', async () => {
    await shop()
    const promote = page.getByRole('button', { name: 'Promote', exact: true })
    await promote.waitFor()
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab')
      if (await promote.evaluate((button) => button === document.activeElement)) break
    }
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => promote.evaluate((button) => button === document.activeElement)).toBe(true)
  })

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    'has no serious accessibility problem and no sideways scroll in %s at %i px',
    async (scheme, width) => {
      await openPage({ width, height: 900 }, scheme)
      await signIn()
      for (const path of [
        '/',
        '/services/shop.local',
        '/services/api.production',
        '/services/worker.local',
        '/rollouts/rollout-5c1x0d',
      ]) {
        await page.goto(url + path)
        await title().waitFor()
        if (path.includes('shop')) await page.locator('.chart canvas').nth(3).waitFor()
        expect([path, await seriousViolationsOf(page)]).toEqual([path, []])
        await expect.poll(async () => [path, await overflowOf(page)]).toEqual([path, 0])
        await picture(`${path.slice(1).replaceAll('/', '-') || 'services'}-${scheme}-${width}`)
      }
      expect(complaints).toEqual([])
    },
  )

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)('opens a check to its evidence, in %s at %i px', async (scheme, width) => {
    await openPage({ width, height: 900 }, scheme)
    await signIn('/rollouts/rollout-5c1x0d')
    await page.getByText('Evidence for errors against stable').click()
    const drawing = page.getByRole('img', { name: /^errors against stable: worse\. Evidence after/ })
    await drawing.waitFor()
    await page.getByText(/^p 0\.0\S+ 1 in [\d,]+ healthy rollouts would look this bad/).waitFor()
    const box = await drawing.boundingBox()
    expect(box?.width).toBeLessThanOrEqual(width)
    const letters = await drawing
      .locator('text')
      .first()
      .evaluate((text) => text.getBoundingClientRect().height)
    expect(letters).toBeGreaterThanOrEqual(11)
    await page.getByText('Before and now, and what the checks do not say').click()
    await page.getByRole('rowheader', { name: 'p99' }).waitFor()
    expect(await overflowOf(page)).toBe(0)
    expect(await seriousViolationsOf(page)).toEqual([])
    expect(complaints).toEqual([])
    await picture(`evidence-${scheme}-${width}`)
  })

  it('opens declared metrics to their evidence, and a value to its curves', async () => {
    await openPage({ width: 1280, height: 900 }, 'light')
    await signIn('/rollouts/rollout-5c1x0d')
    await page.getByText('Evidence for payment-failures').click()
    await page.getByRole('img', { name: /^payment-failures: worse\. Evidence after \d+ windows/ }).waitFor()
    await page.getByText('count bad things').last().waitFor()
    await page.getByText('Evidence for revenue').click()
    await page.getByRole('img', { name: /^revenue: \w+\. After \d+ windows/ }).waitFor()
    await page.getByText(/^None: one number for each version has no statistics behind it/).waitFor()
    expect(await seriousViolationsOf(page)).toEqual([])
    expect(complaints).toEqual([])
    await picture('evidence-declared')
  })

  it('has an accessible dialog', async () => {
    await signIn('/services/api.production')
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await seriousViolationsOf(page)).toEqual([])
    await picture('dialog')
  })

  const picture = (name: string) => takePicture(page, name)
})

function withRollout(view: ServiceView, change: Partial<NonNullable<ServiceView['rollout']>>): ServiceView {
  return view.rollout === null ? view : { ...view, rollout: { ...view.rollout, ...change } }
}
