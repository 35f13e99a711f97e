import { describe, expect, it } from 'vitest'
import { overflowOf, seriousViolationsOf, takePicture } from './page.test.kit.ts'
import { strategyContent } from './page-strategies.ts'
import { useTab } from './tab.test.kit.ts'

describe('the page of each strategy', () => {
  const tab = useTab(() => strategyContent(Date.now()))

  async function open(service: string, look?: Parameters<typeof tab.open>[0]) {
    if (look !== undefined) await tab.open(look)
    await tab.signIn(`/services/${service}.local`)
    await tab.page.locator('h1').waitFor()
  }
  const region = (name: string) => tab.page.getByRole('region', { name, exact: true })

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
    await tab.page.getByRole('heading', { name: /25% of the instances/ }).waitFor()
    await region('Batches').getByText('1.1.0 is 25% of the instances that take work.').waitFor()
    expect(await tab.page.getByText(/traffic/i).allInnerTexts()).toEqual([])
    expect(await region('Loss').count()).toBe(0)
  })

  it('shows the preview with its state, and who else reaches the candidate', async () => {
    await open('web')
    const panel = region('Besides the traffic')
    await panel.getByRole('link', { name: '127.0.0.1:8090' }).waitFor()
    await panel.getByText('shows 1.1.0').waitFor()
    await panel.getByText('Requests whose header x-tester is "1" go to 1.1.0.').waitFor()
    tab.world.change('web.local', (view) => ({
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
    tab.world.change('web.local', ({ besides: _, ...view }) => view)
    await panel.waitFor({ state: 'detached' })
  })

  it('draws the plan when somebody opens it, and says when it is gone', async () => {
    await open('web')
    const panel = region('Plan')
    await panel.getByText('Share, instances and ways back over time').click()
    await panel.getByRole('img', { name: /way back A/ }).waitFor()
    await panel.getByText('At its peak 4 instances run').waitFor()
    tab.world.change('web.local', (view) => ({
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
      await tab.page.getByText('Share, instances and ways back over time').click()
      await region('Plan').getByRole('img').waitFor()
      expect([service, await seriousViolationsOf(tab.page)]).toEqual([service, []])
      await expect.poll(async () => [service, await overflowOf(tab.page)]).toEqual([service, 0])
      expect(tab.complaints).toEqual([])
      await takePicture(tab.page, `${service}-${scheme}-${width}`)
    }
  })
})
