/**
 * Draws a Vega-Lite specification: SVG by Vega, without a canvas, and PNG from that. A bundle of its own, `dist/graph/`, beside
 * the font and the WebAssembly it needs; the runner loads it when a job draws. Nothing is fetched, whatever a specification says.
 */
import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { initWasm, Resvg } from '@resvg/resvg-wasm'
import { parse, textMetrics, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { isMap, type JsonMap, RESULT_DATA } from '../graph/index.ts'
import { type FontMetrics, readFontMetrics } from './font-metrics.ts'
import { encodePng } from './png.ts'
import { accessible } from './svg.ts'
import { FONT, THEME } from './theme.ts'

/** Files beside the bundle. */
const FONT_FILE = 'DejaVuSans.ttf'
const WASM_FILE = 'resvg.wasm'

export interface Drawing {
  svg: string
  png: Uint8Array
  /** What was drawn, with its data: opens in any Vega-Lite editor. */
  specification: string
  /** What Vega had to say. */
  warnings: string[]
}

/** A specification that Vega cannot draw; the message is Vega's own. */
export class NotDrawable extends Error {
  static override readonly name = 'NotDrawable'
  override readonly name = NotDrawable.name
}

const SCALE = 1.5
const MAX_SIDE = 4000
const MAX_SVG = 8 * 1024 * 1024

let loaded: Promise<Uint8Array> | undefined

/** @returns the font */
async function load(): Promise<Uint8Array> {
  const [font, wasm] = await Promise.all([
    readFile(new URL(FONT_FILE, import.meta.url)),
    readFile(new URL(WASM_FILE, import.meta.url))
  ])
  measureWith(readFontMetrics(font))
  // one picture is drawn: compiling the code a second time, to make it faster, costs more than it saves
  setFlagsFromString('--liftoff-only')
  await initWasm(wasm)
  return font
}

export async function draw(specification: JsonMap, rows: readonly JsonMap[]): Promise<Drawing> {
  loaded ??= load()
  const font = await loaded
  const whole = withData(specification, rows)
  const warnings: string[] = []
  const svg = accessible(await toSvg(whole, warnings), {
    title: titleOf(specification),
    description: typeof specification.description === 'string' ? specification.description : ''
  })
  if (svg.length > MAX_SVG)
    throw new NotDrawable(`the picture has more than ${MAX_SVG} characters; draw less`)
  return { svg, png: toPng(svg, font), specification: `${JSON.stringify(whole, undefined, 1)}\n`, warnings }
}

/** The rows are a named data set, which is also what is drawn when the specification names none. */
function withData(specification: JsonMap, rows: readonly JsonMap[]): JsonMap {
  const own = isMap(specification.datasets) ? specification.datasets : {}
  return {
    data: { name: RESULT_DATA },
    ...specification,
    datasets: { ...own, [RESULT_DATA]: [...rows] }
  }
}

async function toSvg(specification: JsonMap, warnings: string[]): Promise<string> {
  const note = (...words: readonly unknown[]): void => {
    if (warnings.length < 16) warnings.push(words.map(String).join(' ').slice(0, 300))
  }
  const logger = {
    level: () => logger,
    error: (...words: readonly unknown[]) => {
      note(...words)
      return logger
    },
    warn: (...words: readonly unknown[]) => {
      note(...words)
      return logger
    },
    info: () => logger,
    debug: () => logger
  }
  try {
    const { spec } = compile(asTopLevel(specification), { config: THEME, logger })
    const view = new View(parse(spec), { renderer: 'none', loader: NOTHING })
    view.logger(logger)
    view.logLevel(1)
    return await view.toSVG()
  } catch (error) {
    if (error instanceof NotDrawable) throw error
    throw new NotDrawable(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Vega-Lite checks its own input while it compiles; its types are hundreds of alternatives that no value can be tested for. */
function asTopLevel(specification: JsonMap): TopLevelSpec {
  const value: unknown = specification
  if (isTopLevel(value)) return value
  throw new NotDrawable('expected a Vega-Lite specification')
}

function isTopLevel(value: unknown): value is TopLevelSpec {
  return isMap(value)
}

const refuse = (): Promise<never> => Promise.reject(new NotDrawable('pictures load nothing'))
const NOTHING = { load: refuse, sanitize: refuse, http: refuse, file: refuse }

function measureWith(metrics: FontMetrics): void {
  textMetrics.width = (item, text) => {
    const line = text == null ? '' : String(text)
    const width = metrics.width(line) * (item.fontSize ?? 11)
    // what is longer is cut when it is drawn
    return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width
  }
}

function toPng(svg: string, font: Uint8Array): Uint8Array {
  const size = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg)
  const side = Math.max(Number(size?.[1] ?? MAX_SIDE), Number(size?.[2] ?? MAX_SIDE))
  const image = new Resvg(svg, {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: Math.min(SCALE, MAX_SIDE / side) },
    font: { fontBuffers: [font], defaultFontFamily: FONT, sansSerifFamily: FONT }
  })
  const { pixels, width, height } = image.render()
  return encodePng(pixels, width, height)
}

function titleOf(specification: JsonMap): string {
  const { title } = specification
  const text = isMap(title) ? title.text : title
  if (Array.isArray(text)) return text.map(String).join(' ')
  return typeof text === 'string' ? text : ''
}
