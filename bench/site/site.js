// What the box at the top of each page says: how long this page took, and who gave it.
'use strict';

const milliseconds = (n) => (n < 10 ? n.toFixed(1) : Math.round(n)) + ' ms';

// The fields that this page came with: from the browser's own cache where it keeps them, else asked for again.
const ownFields = fetch(location.href, { cache: 'force-cache' }).then((answer) => answer.headers);

function judge(fields, fromBrowser, delay) {
    const status = fields.get('cache-status'), age = Number(fields.get('age') || 0);
    if (fromBrowser)
        return ['', 'from your browser’s own cache: nobody was asked. Reload, to ask larder.'];
    if (status && /;\s*hit/.test(status))
        return ['hit', `from larder, which got it ${age} s ago. The origin was not asked.`];
    if (status && /private|no-store/.test(fields.get('cache-control')))
        return ['miss', `from the origin, which waits ${delay}. This page is private: it is never kept.`];
    if (status && /revalidated|304/.test(status))
        return ['miss', `the origin was asked whether it has changed, and waited ${delay} to say no.`];
    if (status)
        return ['miss', `from the origin, which waits ${delay}. Reload: now larder has it.`];
    if (fields.get('via') || fields.get('age'))
        return [age > 0 ? 'hit' : '', 'through a cache that does not say what it did.'];
    return ['miss', `straight from the origin, which waits ${delay}. There is no cache in between.`];
}

async function tellTime() {
    const meter = document.getElementById('meter');
    const [load] = performance.getEntriesByType('navigation');
    const fromBrowser = load.transferSize === 0;
    const [kind, says] = judge(await ownFields, fromBrowser, meter.dataset.delay);
    meter.className = 'meter ' + kind;
    meter.querySelector('b').textContent = milliseconds(fromBrowser ? load.responseEnd - load.fetchStart : load.responseStart - load.requestStart);
    meter.querySelector('.says').textContent = says;
}

async function tellFields() {
    const table = document.getElementById('fields');
    if (!table)
        return;
    table.textContent = '';
    for (const [name, value] of await ownFields) {
        const row = table.insertRow();
        row.insertCell().append(Object.assign(document.createElement('code'), { textContent: name }));
        row.insertCell().textContent = value;
    }
}

async function tellLife() {
    const life = document.getElementById('life');
    if (!life)
        return;
    const lifetime = Number(life.dataset.lifetime), age = Number((await ownFields).get('age') || 0), from = performance.now();
    const draw = () => {
        const left = Math.max(0, lifetime - age - Math.floor((performance.now() - from) / 1000));
        life.classList.toggle('stale', left === 0);
        life.querySelector('i').style.width = (left === 0 ? 100 : left / lifetime * 100) + '%';
        life.querySelector('p').textContent = left > 0 ? `fresh for another ${left} s` : 'stale: the next request asks the origin';
    };
    draw();
    setInterval(draw, 1000);
}

function drawBar(bars, took, slowest) {
    const row = bars.appendChild(document.createElement('div')), bar = row.appendChild(document.createElement('i'));
    bar.style.width = took / slowest * 70 + '%';
    row.className = took > slowest / 3 ? 'slow' : '';
    row.append(milliseconds(took));
}

// max-age=0 keeps the browser's own cache out of it; s-maxage=60 is for larder.
async function askTenTimes() {
    const bars = document.getElementById('bars'), address = '/size/4k/max-age/0/s-maxage/60?try=' + Math.random().toString(36).slice(2);
    bars.textContent = '';
    for (let i = 0, slowest = 0; i < 10; i++) {
        const from = performance.now();
        await (await fetch(address)).arrayBuffer();
        const took = performance.now() - from;
        slowest = Math.max(slowest, took);
        drawBar(bars, took, slowest);
    }
}

function makeButton() {
    const button = document.getElementById('ask');
    if (button)
        button.addEventListener('click', () => {
            button.disabled = true;
            askTenTimes().finally(() => { button.disabled = false; });
        });
}

for (const host of document.querySelectorAll('[data-host]'))
    host.textContent = location.host;
makeButton();
addEventListener('load', () => setTimeout(() => { tellTime(); tellFields(); tellLife(); }));
