import type { Markup } from '../html.ts'
import { type PageFrame, pageOf } from '../page-layout.ts'
import { PORTAL_ID } from './hubspot-error.ts'

const FRAME: PageFrame = {
  name: 'HubSpot stand-in',
  home: '/',
  note: `Account ${PORTAL_ID}. Nothing here reaches HubSpot; these are the records that were written to it.`,
}

/** A whole page; it loads nothing from anywhere. */
export function layout(title: string, content: Markup): string {
  return pageOf(FRAME, title, content)
}
