import { describe, expect, it } from 'vitest'
import { unitName, unitPath, unitText } from './systemd-unit.ts'

const project = {
  config: '/srv/my shop/sluice.yaml',
  shownConfig: 'sluice.yaml',
  folder: '/srv/my shop',
  state: '/srv/my shop/.sluice',
}
const input = {
  project,
  program: ['/usr/bin/node', '/opt/sluice/main.js'] as const,
  asRoot: true,
  home: '/home/ada',
}

describe('the systemd unit', () => {
  it('starts the controller and stops nothing else', () => {
    const text = unitText(input)
    expect(text).toContain(
      'ExecStart=/usr/bin/node /opt/sluice/main.js internal-controller --folder "/srv/my shop/.sluice" --config "/srv/my shop/sluice.yaml"',
    )
    expect(text).toContain('KillMode=process')
    expect(text).toContain('WantedBy=multi-user.target')
  })

  it('belongs to the system for root and to the user otherwise', () => {
    expect(unitPath(input)).toMatch(/^\/etc\/systemd\/system\/sluice-my-shop-[0-9a-f]{6}\.service$/)
    expect(unitPath({ ...input, asRoot: false })).toMatch(/^\/home\/ada\/\.config\/systemd\/user\//)
    expect(unitText({ ...input, asRoot: false })).toContain('WantedBy=default.target')
  })

  it('has another name for another folder of the same name', () => {
    expect(unitName({ folder: '/a/shop' })).not.toBe(unitName({ folder: '/b/shop' }))
  })
})
