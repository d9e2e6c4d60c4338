/* reference.c: a URI reference (Location, Content-Location) as the key of what it names (RFC 3986 §5.2).
 *
 *      base http://host/a/b?q      x ▶ /a/x      ../x ▶ /x      ?y ▶ /a/b?y      //host/x ▶ /x
 *
 * Only references to the base's own host have a key here: nobody may speak for what another host serves
 * (RFC 9111 §4.4).
 */
#include <larder/cache/key.h>

/* scheme "://" authority, and what follows; the base is a key's text, so it has all of them. */
struct base {
    struct span root; /* "http://host" */
    struct span path, query;
};

static struct base
split_base(struct span text)
{
    struct base base;
    size_t      at = 0;

    for (unsigned slashes = 0; at < text.len; at++)
        if (text.at[at] == '/' && ++slashes == 3)
            break;
    base.root = span_head(text, at);
    base.path = span_skip(text, at);
    ssize_t mark = span_find(base.path, '?');
    base.query = mark < 0 ? SPAN_EMPTY : span_skip(base.path, (size_t)mark + 1);
    if (mark >= 0)
        base.path = span_head(base.path, (size_t)mark);
    return base;
}

/* Whether it begins with a scheme: a colon before any slash, question mark or hash (RFC 3986 §4.2). */
static bool
has_scheme(struct span reference)
{
    for (size_t i = 0; i < reference.len; i++) {
        if (reference.at[i] == ':')
            return true;
        if (reference.at[i] == '/' || reference.at[i] == '?')
            return false;
    }
    return false;
}

/* The directory of a path, with its last slash. */
static struct span
directory_of(struct span path)
{
    size_t len = path.len;
    while (len > 0 && path.at[len - 1] != '/')
        len--;
    return span_head(path, len);
}

/* A path without "." and ".." (RFC 3986 §5.2.4); it begins with a slash, and so does what is written. */
static size_t
remove_dots(struct span path, char *out)
{
    struct span rest = span_skip(path, 1), segment;
    size_t      len = 0;

    while (span_split(&rest, '/', &segment)) {
        bool last = rest.at == NULL, up = span_equal(segment, SPAN(".."));
        if (up)
            while (len > 0 && out[--len] != '/')
                ;
        if (!up && !span_equal(segment, SPAN("."))) {
            out[len++] = '/';
            memcpy(out + len, segment.at, segment.len);
            len += segment.len;
        } else if (last) {
            out[len++] = '/';
        }
    }
    if (len == 0)
        out[len++] = '/';
    return len;
}

static size_t
copy_path(struct span path, char *out)
{
    memcpy(out, path.at, path.len);
    return path.len;
}

/* What a reference gives besides the root; a part that it does not have is the base's. */
static void
resolve(const struct base *base, struct span reference, struct span *folder, struct span *path,
        struct span *query)
{
    ssize_t mark = span_find(reference, '?');
    *path = mark < 0 ? reference : span_head(reference, (size_t)mark);
    *query = mark < 0 ? SPAN_EMPTY : span_skip(reference, (size_t)mark + 1);
    *folder = SPAN_EMPTY;
    if (path->len == 0) {
        *path = base->path;
        if (mark < 0)
            *query = base->query;
    } else if (path->at[0] != '/') {
        *folder = directory_of(base->path);
    }
}

static enum err
key_of_path(struct arena *arena, const struct hash_seed *seed, const struct base *base, struct span reference,
            struct store_key *key)
{
    struct span  folder, path, query;
    struct fault fault;

    resolve(base, reference, &folder, &path, &query);
    char *whole = arena_alloc(arena, folder.len + path.len + 1);
    char *url = arena_alloc(arena, base->root.len + folder.len + path.len + query.len + 2);
    if (whole == NULL || url == NULL)
        return ERR_NO_MEMORY;
    memcpy(whole, folder.at == NULL ? "" : folder.at, folder.len);
    memcpy(whole + folder.len, path.at, path.len);
    memcpy(url, base->root.at, base->root.len);
    struct span joined = span_of(whole, folder.len + path.len);
    size_t      len = base->root.len;
    if (path.at == base->path.at)
        len += copy_path(joined, url + len); /* RFC 3986 §5.2.2: the base's own path stays as it is */
    else
        len += remove_dots(joined, url + len);
    if (query.at != NULL) {
        url[len++] = '?';
        memcpy(url + len, query.at, query.len);
        len += query.len;
    }
    return key_of_url(arena, seed, span_of(url, len), key, &fault);
}

static bool
is_default_port(struct span port)
{
    return port.len == 0 || span_equal(port, SPAN("80")) || span_equal(port, SPAN("443"));
}

/* An authority in front of a reference: ours? What follows it is left in *rest. */
static bool
is_same_host(const struct base *base, struct span *rest)
{
    struct span host, port, our_host, our_port;
    size_t      end = 0, slashes = (size_t)span_find(base->root, '/') + 2;

    while (end < rest->len && rest->at[end] != '/' && rest->at[end] != '?')
        end++;
    if (!parse_authority(span_head(*rest, end), &host, &port)
        || !parse_authority(span_skip(base->root, slashes), &our_host, &our_port))
        return false;
    *rest = span_skip(*rest, end);
    return span_equal_nocase(host, our_host)
           && (span_equal(port, our_port) || (is_default_port(port) && is_default_port(our_port)));
}

/* The length of "http://", "https://" or "//" at the front, else 0. */
static size_t
prefix_of(struct span reference)
{
    if (span_starts_nocase(reference, SPAN("http://")))
        return sizeof "http://" - 1;
    if (span_starts_nocase(reference, SPAN("https://")))
        return sizeof "https://" - 1;
    return span_starts(reference, SPAN("//")) ? 2 : 0;
}

enum err
key_of_reference(struct arena *arena, const struct hash_seed *seed, const struct store_key *base_key,
                 struct span reference, struct store_key *key)
{
    struct base base = split_base(base_key->text);
    struct span rest = reference;
    ssize_t     hash = span_find(rest, '#');

    if (hash >= 0)
        rest = span_head(rest, (size_t)hash);
    if (prefix_of(rest) > 0) {
        rest = span_skip(rest, prefix_of(rest));
        if (!is_same_host(&base, &rest))
            return ERR_NOT_FOUND;
        if (rest.len == 0 || rest.at[0] == '?')
            base.path = SPAN("/");
        if (rest.len == 0)
            base.query = SPAN_EMPTY;
    } else if (has_scheme(rest)) {
        return ERR_NOT_FOUND;
    }
    return key_of_path(arena, seed, &base, rest, key);
}
