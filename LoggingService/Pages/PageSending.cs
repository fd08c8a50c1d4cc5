namespace LoggingService.Pages;

/// <summary>
/// Sends rendered pages, after their work has ended. Pages that readers take slowly hold only memory, of which each address and all
/// together have so much; to a reader beyond that it sends that there are too many requests.
/// </summary>
internal sealed class PageSending(PageRenderer renderer)
{
    /// <summary>What may wait to be sent when another page is added; one page may be larger.</summary>
    private const long BytesOfAddress = 4 << 20;
    private const long BytesTogether = 128 << 20;

    /// <summary>What is written at once: the server copies it. Smaller pages are not counted.</summary>
    private const int Chunk = 16 << 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], int> _readersOfPage = [];
    private readonly Dictionary<string, long> _bytesOfAddress = [];
    private long _bytes;

    public async Task SendAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Features.Get<RenderedPage>() is not { } page)
        {
            return;
        }

        if (page.Bytes.Length <= Chunk || HttpMethods.IsHead(http.Request.Method))
        {
            await WriteAsync(http, page.Bytes);
            return;
        }

        var client = PageLimits.ClientOf(http);
        if (!TryAdd(client, page.Bytes))
        {
            http.Response.Headers.Remove("ETag");
            await renderer.WriteBusyAsync(http);
            await WriteAsync(http, http.Features.Get<RenderedPage>()!.Bytes);
            return;
        }

        try
        {
            await WriteAsync(http, page.Bytes);
        }
        finally
        {
            Remove(client, page.Bytes);
        }
    }

    private static async Task WriteAsync(HttpContext http, ReadOnlyMemory<byte> bytes)
    {
        http.Response.ContentLength = bytes.Length;
        for (var rest = bytes; rest.Length > 0 && !HttpMethods.IsHead(http.Request.Method); rest = rest[Math.Min(Chunk, rest.Length)..])
        {
            await http.Response.Body.WriteAsync(rest[..Math.Min(Chunk, rest.Length)], http.RequestAborted);
        }
    }

    private bool TryAdd(string client, byte[] page)
    {
        lock (_gate)
        {
            var ofAddress = _bytesOfAddress.GetValueOrDefault(client);
            if (ofAddress >= BytesOfAddress || _bytes >= BytesTogether)
            {
                return false;
            }

            _bytesOfAddress[client] = ofAddress + page.Length;
            var readers = _readersOfPage.GetValueOrDefault(page);
            _readersOfPage[page] = readers + 1;

            // Many readers of one page share its memory.
            _bytes += readers == 0 ? page.Length : 0;
            return true;
        }
    }

    private void Remove(string client, byte[] page)
    {
        lock (_gate)
        {
            if ((_bytesOfAddress[client] -= page.Length) == 0)
            {
                _bytesOfAddress.Remove(client);
            }

            if (--_readersOfPage[page] == 0)
            {
                _readersOfPage.Remove(page);
                _bytes -= page.Length;
            }
        }
    }
}

/// <summary>The body of the response, which is sent when the work has ended.</summary>
internal sealed record RenderedPage(byte[] Bytes);
