import { nameOf } from './words.ts'

/** The names of nginx's variables and upstreams for one service. */
export class Names {
  readonly service: string
  private readonly stem: string

  constructor(service: string) {
    this.service = service
    this.stem = `sluice_${nameOf(service)}`
  }

  /** `$sluice_shop_1a2b3c4d_split` */
  variable(name: string): string {
    return `$${this.stem}_${name}`
  }

  /** The same within a text: `${sluice_shop_1a2b3c4d_split}` */
  within(name: string): string {
    return `\${${this.stem}_${name}}`
  }

  upstream(release: string): string {
    return `sluice_${nameOf(`${this.service} ${release}`)}`
  }

  /**
   * The upstream beside it, for WebSockets and event streams: `$sluice_shop_1a2b3c4d_target` has `${sluice_shop_1a2b3c4d_target}_long`.
   * `target` is an upstream, or a variable that says one.
   */
  static long(target: string): string {
    return `${target.startsWith('$') ? `\${${target.slice(1)}}` : target}_long`
  }

  format(way: 'live' | 'closed' | 'preview' | 'copy'): string {
    return `${this.stem}_${way}`
  }

  /** Where requests of the service go on, within a server that others may share: `@sluice_shop_1a2b3c4d_long` */
  location(name: string): string {
    return `@${this.stem}_${name}`
  }

  /** A path that stands for the service where a server has several. Nobody can ask for it. */
  get place(): string {
    return `/${this.stem}`
  }

  zone(name: string): string {
    return `${this.stem}_${name}`
  }
}
