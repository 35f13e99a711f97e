import { expect, it } from 'vitest'
import { storedAs } from './stored-as.ts'

const of = (image?: string) =>
  storedAs({
    artifact: { digest: 'd', folder: '', bytes: 1, files: 0, ...(image === undefined ? {} : { image }) },
  })

it('names what a release is started from: its files, or its image with the beginning of its digest', () => {
  const digest = `sha256:0123456789ab${'f'.repeat(52)}`
  expect(of()).toBe('its stored artifact')
  expect(of(`r.local:5000/shop@${digest}`)).toBe('its image r.local:5000/shop@sha256:0123456789ab')
  expect(of(digest)).toBe('its image sha256:0123456789ab')
})
