/** Outputs treated together. */
const PANEL_OUTPUTS = 512;

/** The outputs in panels of about equal height, the last one shorter. */
export function panelsOf(outFeatures: number): { start: number; end: number }[] {
  const height = Math.ceil(outFeatures / Math.ceil(outFeatures / PANEL_OUTPUTS));
  return Array.from({ length: Math.ceil(outFeatures / height) }, (_, index) => ({
    start: index * height,
    end: Math.min((index + 1) * height, outFeatures),
  }));
}
