import type { Config } from 'vega-lite'
import { COLOURS } from '../graph/index.ts'

export const FONT = 'DejaVu Sans'
/** A reader that has not the font takes one of its width. */
const FAMILY = `${FONT}, Verdana, Geneva, sans-serif`
const INK = '#222222'
const QUIET = '#555555'

/** How all pictures look; a specification's own `config` wins. Every text has a contrast of at least 7 to 1 on white. */
export const THEME: Config = {
  background: '#ffffff',
  padding: 12,
  font: FAMILY,
  view: { stroke: null },
  title: {
    anchor: 'start',
    frame: 'bounds',
    fontSize: 15,
    fontWeight: 'normal',
    color: INK,
    subtitleColor: QUIET,
    subtitleFontSize: 11,
    subtitlePadding: 4,
    offset: 14,
    lineHeight: 19
  },
  axis: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelLimit: 250,
    maxExtent: 270,
    gridColor: '#e3e3e3',
    domainColor: '#888888',
    tickColor: '#888888'
  },
  legend: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal'
  },
  header: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal'
  },
  range: { category: COLOURS },
  bar: { color: COLOURS[0] ?? INK },
  text: { color: INK }
}
