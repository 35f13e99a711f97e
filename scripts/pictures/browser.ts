import { chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
]

type PagePicture = {
  signIn: string
  path: string
  file: string
  width: number
  height: number
  settleMs: number
}

export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET })
  return {
    /** What a person sees at a path of the page after it settled. */
    async picture({ signIn, path, file, width, height, settleMs }: PagePicture): Promise<void> {
      const page = await browser.newPage({ viewport: { width, height } })
      await page.goto(signIn)
      await page.goto(new URL(path, signIn).href)
      await page.waitForTimeout(settleMs)
      await page.screenshot({ path: file })
      await page.close()
    },
    /** A page of our own, just as large as what is on it. */
    async pictureOf({ html, file }: { html: string; file: string }): Promise<void> {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
      await page.setContent(html)
      await page.locator('pre').screenshot({ path: file })
      await page.close()
    },
    close: () => browser.close(),
  }
}
