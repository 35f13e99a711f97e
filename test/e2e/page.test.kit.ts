/// <reference lib="dom" />
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, chromium, type Page } from 'playwright-core'

export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
]
const MORE_FLAGS = ['--disable-sync', '--disable-quic', '--no-first-run']
/** Of everything the page is waited for; a slow machine gets its time. */
export const PAGE_LIMIT_MS = 60_000
/** Set to a folder to keep pictures of the page. */
const PICTURES = process.env.PAGE_PICTURES

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...MORE_FLAGS] })

export async function takePicture(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined)
    await page.screenshot({ path: join(PICTURES, `page-${name}.png`), fullPage: true })
}

/** The page has no frames: legacy mode spares a page of its own that would join the results of several. */
export async function violationsOf(page: Page) {
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  return (await axe.analyze()).violations
}

/** What keeps somebody from using the page, with the place. */
export async function seriousViolationsOf(page: Page): Promise<[id: string, places: string[]][]> {
  const violations = await violationsOf(page)
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
}

/** How far one can scroll sideways. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** What the page complains about from now on. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || /content security policy/i.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return complaints
}

/** The page as it is in the sources now, built aside. */
export async function buildPage(outDir: string): Promise<void> {
  const vite = join(import.meta.dirname, '../../node_modules/vite/bin/vite.js')
  const cwd = join(import.meta.dirname, '../../web')
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'],
    { cwd },
  )
}
