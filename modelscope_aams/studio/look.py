"""How the page looks: fonts of the reader's system, and nothing fetched from elsewhere."""
from gradio.themes import Default

_FONTS = ('ui-sans-serif', 'sans-serif')

THEME = Default(primary_hue='indigo', secondary_hue='indigo', neutral_hue='slate', font=_FONTS,
                font_mono=('ui-monospace', 'monospace')).set(
    # Dark enough to be read by everybody.
    body_text_color_subdued='*neutral_500', block_info_text_color='*neutral_500')

#: On a phone the result may lie below what is seen. Once it is laid out, that is.
SHOW_PICTURE = '''() => { setTimeout(() => document.querySelector('#picture')
    .scrollIntoView({behavior: 'smooth', block: 'nearest'}), 300); }'''

# Gradio puts each selector, cut at commas, behind one of its own; in a media query that alone
# counts. So none has a comma in brackets, and what surrounds the page is outside of queries.
CSS = '''
.gradio-container {
    --font: system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei",
            "Noto Sans CJK SC", sans-serif;
    width: 100%; max-width: 1360px !important; margin: 0 auto !important;
}
.main.app { padding: 16px clamp(10px, 2.5vw, 32px) !important; }
#heading h1 { margin: 0 0 .2em; font-size: 1.6rem; }
#heading p { color: var(--body-text-color-subdued); max-width: 62em; }

/* What is given left, what comes out right; one below the other on a phone. */
#page { display: grid; gap: 20px; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr);
        grid-template-areas: "given result" "settings result"; grid-template-rows: auto 1fr;
        align-items: start; }
#given { grid-area: given; } #result { grid-area: result; } #settings { grid-area: settings; }
#page > .column { min-width: 0 !important; width: 100%; }
#given .row, #maps { flex-wrap: nowrap; }
#given .row > *, #maps > * { min-width: 0 !important; }

/* Pairs of pictures side by side, not a table. */
#examples table, #examples tbody, #examples tr, #examples td {
    border: 0; margin: 0; padding: 0; }
#examples table { display: block; }
#examples thead { display: none; }
#examples tbody { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 8px; }
#examples tr { display: flex; background: none; border-radius: 6px; overflow: hidden; }
#examples tr:hover, #examples tr:focus-within { box-shadow: 0 0 0 2px var(--color-accent); }
#examples td { flex: 1; }
#examples td * { width: 100%; height: 64px; border: 0; border-radius: 0; object-fit: cover;
                 max-width: none; display: block; }
#examples .table-wrap { border: 0; padding: 2px; }

/* The result as large as there is room. */
#picture:not(:has(img)) { min-height: 320px; }
#picture .image-frame, #picture img { width: 100%; }
#picture:not(.fullscreen) img { height: auto; max-height: 78vh; object-fit: contain; }
#legend, #note { padding: 0; }
#note { color: var(--body-text-color-subdued); font-size: .9rem; text-align: center; }
.legend { display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end;
          gap: 2px .8em; }
.legend span { display: inline-flex; align-items: center; }
.legend i { width: 1em; height: 1em; border-radius: 3px; margin-right: .35em; }

@media (max-width: 760px) {
    #page { grid-template-columns: minmax(0, 1fr); grid-template-rows: none;
            grid-template-areas: "given" "result" "settings"; gap: 12px; }
    #heading h1 { font-size: 1.25rem; }
    #heading p { font-size: .9rem; }
    #examples tbody { grid-template-columns: repeat(2, minmax(0, 1fr)); }
    #content, #style { height: 170px !important; }
}
'''
