using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>
/// One request body, in one array. It counts as in flight until Dispose. The array is neither pooled nor reused: the events
/// reference it until they are in their rooms' files, long after the response.
/// </summary>
internal sealed class RequestBody(RequestBodyLimit limit) : IDisposable
{
    /// <summary>Up to this Content-Length the array is allocated at once. A client may declare more and never send it.</summary>
    private const int MaxTrustedLength = 128 << 10;

    private const int InitialSize = 16 << 10;

    private byte[] _buffer = [];
    private int _length;
    private long _reserved;

    /// <summary>What has been read; valid after Dispose, too.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Reads a body to its end.</summary>
    /// <exception cref="MatrixException">413 or 503: the body, or all bodies in flight, exceed the limit.</exception>
    /// <exception cref="BadHttpRequestException">The body is truncated or its framing is malformed.</exception>
    public async Task ReadAsync(HttpRequest request)
    {
        // Kestrel's limit is for unauthenticated bodies. An authenticated one is drained, so that the client reads the 413.
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        limit.Check(request.ContentLength ?? 0);
        try
        {
            var isCompleted = false;
            while (!isCompleted)
            {
                var read = await request.BodyReader.ReadAsync();
                isCompleted = read.IsCompleted;
                try
                {
                    Append(read.Buffer, request.ContentLength);
                }
                finally
                {
                    // Also after a rejection: otherwise Kestrel cannot drain the body, and resets the connection.
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                }
            }
        }
        catch (IOException e) when (e is not (BadHttpRequestException or ConnectionResetException))
        {
            // For example a chunk length that overflows.
            throw new BadHttpRequestException("Malformed request body.", e);
        }
    }

    public void Dispose()
    {
        limit.Release(_reserved);
        _reserved = 0;
    }

    private void Append(ReadOnlySequence<byte> part, long? declaredLength)
    {
        var length = _length + part.Length;
        limit.Check(length);
        limit.Reserve(part.Length);
        _reserved += part.Length;
        if (length > _buffer.Length)
        {
            Grow(length, declaredLength);
        }

        part.CopyTo(_buffer.AsSpan(_length));
        _length = (int)length;
    }

    /// <summary>Doubles the array, at most to the declared length, so that a complete body fills it exactly.</summary>
    private void Grow(long needed, long? declaredLength)
    {
        var initialSize = declaredLength is null ? InitialSize : MaxTrustedLength;
        var doubled = Math.Max(initialSize, _buffer.Length * 2L);
        var size = Math.Max(needed, Math.Min(doubled, declaredLength ?? limit.MaxBytes));
        var larger = GC.AllocateUninitializedArray<byte>((int)size);
        Bytes.Span.CopyTo(larger);
        _buffer = larger;
    }
}
