/// <reference lib="dom" />
import { describe, expect, it } from 'vitest'
import type { ServiceView } from '../../src/core/rollout/view/view.ts'
import { overflowOf, seriousViolationsOf, takePicture, violationsOf } from './page.test.kit.ts'
import { useTab } from './tab.test.kit.ts'

describe('page', () => {
  const tab = useTab()
  const shop = () => tab.signIn('/services/shop.local')
  const title = () => tab.page.locator('h1')

  it('signs in by the address from the terminal and leaves no token in it', async () => {
    await tab.signIn()
    expect(tab.page.url()).toBe(`${tab.url}/`)
    const [cookie] = await tab.context.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    await expect.poll(() => tab.page.locator('.service-card').count()).toBe(3)
    expect(tab.complaints).toEqual([])
  })

  it('asks for the token without a session and goes on with the page that was asked for', async () => {
    await tab.page.goto(`${tab.url}/services/shop.local`)
    await tab.page.getByLabel('Token').fill('wrong')
    await tab.page.getByRole('button', { name: 'Sign in' }).click()
    await tab.page.getByText('The token is wrong.').waitFor()
    await tab.page.getByLabel('Token').fill(tab.world.token)
    await tab.page.getByRole('button', { name: 'Sign in' }).click()
    await tab.page.getByText('shop 1.1.0 in local: step 5 of 12').waitFor()
  })

  it('shows what happens within a moment of it, in the sentence, the tab and its icon', async () => {
    await shop()
    await tab.page.getByText('Live', { exact: true }).waitFor()
    await expect.poll(() => tab.page.title()).toBe('25% · shop 1.1.0 · Sluice')
    const icon = await tab.page.locator('link[rel=icon]').getAttribute('href')
    tab.world.change('shop.local', (view) =>
      withRollout(view, { sentence: 'Now it is paused.', state: 'paused' }),
    )
    await tab.page.getByRole('heading', { name: 'Now it is paused.' }).waitFor()
    await tab.page.waitForFunction(() => document.title.startsWith('Paused'))
    await expect.poll(() => tab.page.locator('link[rel=icon]').getAttribute('href')).not.toBe(icon)
    expect(tab.complaints).toEqual([])
  })

  it('shows desired and observed traffic apart and warns when they differ', async () => {
    await shop()
    tab.world.change('shop.local', (view) =>
      withRollout(view, { weight: { desiredPermille: 500, observedPermille: 250 } }),
    )
    await tab.page.getByText('The router sends 25%, not 50%.').waitFor()
    await tab.page.getByRole('img', { name: 'Traffic to 1.1.0: 50% wanted, 25% observed' }).waitFor()
    tab.world.change('shop.local', (view) =>
      withRollout(view, { weight: { desiredPermille: 500, observedPermille: null } }),
    )
    await tab.page.getByText('The router has not confirmed the weight yet.').waitFor()
  })

  it('says how long it is stale when the controller is gone, and lives again with it', async () => {
    await shop()
    await tab.page.getByText('Live', { exact: true }).waitFor()
    const port = Number(new URL(tab.url).port)
    await tab.world.server.close()
    await tab.page.getByText(/Stale for \d+s/).waitFor()
    await title().waitFor()
    // The port was given back: one of the page's own attempts may be using it just now.
    await expect
      .poll(async () => {
        return (await tab.renew().server.listenTcp(port)).kind
      })
      .toBe('ok')
    await tab.page.getByText('Live', { exact: true }).waitFor()
  })

  it('promotes after a confirmation that says what will happen', async () => {
    await shop()
    await tab.page.getByRole('button', { name: 'Promote', exact: true }).click()
    const dialog = tab.page.getByRole('dialog')
    await dialog.getByText('goes on with "traffic 50%"').waitFor()
    expect(tab.world.calls).toEqual([])
    await dialog.getByRole('button', { name: 'Promote' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(tab.world.calls).toEqual([
      { name: 'promote', input: { service: 'shop', environment: 'local' }, actor: 'ada', face: 'page' },
    ])
  })

  it('aborts only with a reason, and not after cancelling', async () => {
    await shop()
    await tab.page.getByRole('button', { name: 'Abort' }).click()
    const dialog = tab.page.getByRole('dialog')
    await dialog.getByText('All traffic goes back to 1.0.0 at once.').waitFor()
    await dialog.getByRole('button', { name: 'Abort' }).click({ force: true })
    await tab.page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(tab.world.calls).toEqual([])
    await tab.page.getByRole('button', { name: 'Abort' }).click()
    await dialog.getByLabel('Reason').fill('wrong build')
    await tab.page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(tab.world.calls).toMatchObject([{ name: 'abort', input: { reason: 'wrong build' } }])
  })

  it('asks for the name of the service in production', async () => {
    await tab.signIn('/services/api.production')
    await tab.page.getByRole('button', { name: 'Roll back' }).click()
    const dialog = tab.page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('orders fail')
    expect(await dialog.getByRole('button', { name: 'Roll back' }).getAttribute('aria-disabled')).toBe('true')
    await dialog.getByLabel('This is production').fill('api')
    await dialog.getByRole('button', { name: 'Roll back' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(tab.world.calls).toMatchObject([
      { name: 'rollback', input: { service: 'api', environment: 'production' } },
    ])
  })

  it('says in words why a button cannot be used', async () => {
    await shop()
    const resume = tab.page.getByRole('button', { name: 'Resume' })
    expect(await resume.getAttribute('aria-disabled')).toBe('true')
    await tab.page.getByText('It is not paused.').waitFor()
    await resume.click({ force: true })
    expect(await tab.page.getByRole('dialog').count()).toBe(0)
  })

  it('shows the failure, the last problem of the instance and its log', async () => {
    await tab.signIn('/services/api.production')
    await tab.page.getByText('Run the migration of 2.4.0 first, then deploy it again.').waitFor()
    await tab.page.getByText('database migrations are missing').waitFor()
    await tab.page.getByText('relation "orders_v2" does not exist').last().waitFor()
    await tab.page.getByText('0 of 7,301 requests lost').waitFor()
  })

  it('shows the risk that the plan had, what it was judged by, and where another strategy would fit', async () => {
    await shop()
    const panel = tab.page.getByRole('region', { name: 'Risk' })
    await panel.getByText('High risk by scope of change.').waitFor()
    await panel.getByText('The strategy that fits is blue-green; the file asks for canary').waitFor()
    await panel.getByText('What it is judged by').click()
    await panel.getByText('The schema of the data changes: 41 → 42.').waitFor()
    expect(await violationsOf(tab.page)).toEqual([])
    await picture('risk')
  })

  it('keeps an old rollout under its own address, reached from the history', async () => {
    await shop()
    await tab.page.getByRole('link', { name: '0.9.8 → 1.0.0' }).nth(1).click()
    await tab.page
      .getByRole('heading', { name: 'api 2.4.0 in production: rolled back.', exact: true })
      .waitFor()
    expect(tab.page.url()).toBe(`${tab.url}/rollouts/rollout-5c1x0d`)
    await tab.page.goto(`${tab.url}/rollouts/rollout-nothing`)
    await tab.page.getByText('There is no rollout "rollout-nothing".').waitFor()
  })

  it('can be worked with the keyboard alone', async () => {
    await shop()
    const promote = tab.page.getByRole('button', { name: 'Promote', exact: true })
    await promote.waitFor()
    for (let presses = 0; presses < 10; presses += 1) {
      await tab.page.keyboard.press('Tab')
      if (await promote.evaluate((button) => button === document.activeElement)) break
    }
    await tab.page.keyboard.press('Enter')
    await tab.page.getByRole('dialog').waitFor()
    await tab.page.keyboard.press('Escape')
    await tab.page.getByRole('dialog').waitFor({ state: 'detached' })
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
      await tab.open({ width, scheme })
      await tab.signIn()
      for (const path of [
        '/',
        '/services/shop.local',
        '/services/api.production',
        '/services/worker.local',
        '/rollouts/rollout-5c1x0d',
      ]) {
        await tab.page.goto(tab.url + path)
        await title().waitFor()
        if (path.includes('shop')) await tab.page.locator('.chart canvas').nth(3).waitFor()
        expect([path, await seriousViolationsOf(tab.page)]).toEqual([path, []])
        await expect.poll(async () => [path, await overflowOf(tab.page)]).toEqual([path, 0])
        await picture(`${path.slice(1).replaceAll('/', '-') || 'services'}-${scheme}-${width}`)
      }
      expect(tab.complaints).toEqual([])
    },
  )

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)('opens a check to its evidence, in %s at %i px', async (scheme, width) => {
    await tab.open({ width, scheme })
    await tab.signIn('/rollouts/rollout-5c1x0d')
    await tab.page.getByText('Evidence for errors against stable').click()
    const drawing = tab.page.getByRole('img', { name: /^errors against stable: worse\. Evidence after/ })
    await drawing.waitFor()
    await tab.page.getByText(/^p 0\.0\S+ 1 in [\d,]+ healthy rollouts would look this bad/).waitFor()
    const box = await drawing.boundingBox()
    expect(box?.width).toBeLessThanOrEqual(width)
    const letters = await drawing
      .locator('text')
      .first()
      .evaluate((text) => text.getBoundingClientRect().height)
    expect(letters).toBeGreaterThanOrEqual(11)
    await tab.page.getByText('Before and now, and what the checks do not say').click()
    await tab.page.getByRole('rowheader', { name: 'p99' }).waitFor()
    expect(await overflowOf(tab.page)).toBe(0)
    expect(await seriousViolationsOf(tab.page)).toEqual([])
    expect(tab.complaints).toEqual([])
    await picture(`evidence-${scheme}-${width}`)
  })

  it('opens declared metrics to their evidence, and a value to its curves', async () => {
    await tab.signIn('/rollouts/rollout-5c1x0d')
    await tab.page.getByText('Evidence for payment-failures').click()
    await tab.page
      .getByRole('img', { name: /^payment-failures: worse\. Evidence after \d+ windows/ })
      .waitFor()
    await tab.page.getByText('count bad things').last().waitFor()
    await tab.page.getByText('Evidence for revenue').click()
    await tab.page.getByRole('img', { name: /^revenue: \w+\. After \d+ windows/ }).waitFor()
    await tab.page.getByText(/^None: one number for each version has no statistics behind it/).waitFor()
    expect(await seriousViolationsOf(tab.page)).toEqual([])
    expect(tab.complaints).toEqual([])
    await picture('evidence-declared')
  })

  it('has an accessible dialog', async () => {
    await tab.signIn('/services/api.production')
    await tab.page.getByRole('button', { name: 'Roll back' }).click()
    await tab.page.getByRole('dialog').waitFor()
    expect(await seriousViolationsOf(tab.page)).toEqual([])
    await picture('dialog')
  })

  const picture = (name: string) => takePicture(tab.page, name)
})

function withRollout(view: ServiceView, change: Partial<NonNullable<ServiceView['rollout']>>): ServiceView {
  return view.rollout === null ? view : { ...view, rollout: { ...view.rollout, ...change } }
}
