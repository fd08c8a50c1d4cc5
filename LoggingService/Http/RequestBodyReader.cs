using System.IO.Pipelines;
using LoggingService.Options;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>Reads whole request bodies into memory. One limit applies to each body and to all bodies in flight together.</summary>
internal sealed class RequestBodyReader(LoggingServiceOptions options)
{
    private static readonly MatrixError TooLarge = new(413, "M_TOO_LARGE", "The request body exceeds MaxBodyBytes.");
    private static readonly MatrixError TooManyInFlight = new(503, "M_LIMIT_EXCEEDED", "All requests together exceed MaxBodyBytes; retry.");

    private long _inFlight;

    public long MaxBytes => options.MaxBodyBytes;

    /// <summary>Reads a body to its end. It counts as in flight until it is disposed.</summary>
    /// <exception cref="MatrixException">413: the body exceeds the limit. 503: all bodies in flight do.</exception>
    /// <exception cref="BadHttpRequestException">The body is truncated or its framing is malformed.</exception>
    public async Task<RequestBody> ReadAsync(HttpRequest request)
    {
        // Kestrel's limit is for unauthenticated bodies. An authenticated one is drained, so that the client reads the 413.
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (request.ContentLength > MaxBytes)
        {
            throw new MatrixException(TooLarge);
        }

        var body = new RequestBody(this);
        try
        {
            while (true)
            {
                var read = await ReadAsync(request.BodyReader);
                try
                {
                    body.Append(read.Buffer);
                }
                finally
                {
                    // Also after a rejection: otherwise Kestrel cannot drain the body, and resets the connection.
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                }

                if (read.IsCompleted)
                {
                    return body;
                }
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <exception cref="MatrixException">The body, of this length then, or all bodies in flight would exceed the limit.</exception>
    internal void Reserve(long bytes, long bodyLength)
    {
        if (bodyLength > MaxBytes)
        {
            throw new MatrixException(TooLarge);
        }

        if (Interlocked.Add(ref _inFlight, bytes) > MaxBytes)
        {
            Release(bytes);
            throw new MatrixException(TooManyInFlight);
        }
    }

    internal void Release(long bytes) => Interlocked.Add(ref _inFlight, -bytes);

    private static async Task<ReadResult> ReadAsync(PipeReader reader)
    {
        try
        {
            return await reader.ReadAsync();
        }
        catch (IOException e) when (e is not (BadHttpRequestException or ConnectionResetException))
        {
            // For example a chunk length that overflows.
            throw new BadHttpRequestException("Malformed request body.", e);
        }
    }
}
