using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>One request body in contiguous pooled memory. It counts as in flight until Dispose, which returns the memory.</summary>
internal sealed class RequestBody(RequestBodyLimit limit) : IDisposable
{
    /// <summary>Most transactions are a few KiB, some are a few MiB. Larger buffers are left to the garbage collector.</summary>
    private const int MaxPooledSize = 1 << 20;

    private const int InitialSize = 16 << 10;
    private static readonly ArrayPool<byte> Pool = ArrayPool<byte>.Create(MaxPooledSize, maxArraysPerBucket: 16);
    private byte[] _buffer = Pool.Rent(InitialSize);
    private int _length;
    private long _reserved;

    /// <summary>What has been read; invalid after Dispose.</summary>
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
                    Append(read.Buffer);
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
        Pool.Return(_buffer);
        _reserved = 0;
        _buffer = [];
        _length = 0;
    }

    private void Append(ReadOnlySequence<byte> part)
    {
        var length = _length + part.Length;
        limit.Check(length);
        limit.Reserve(part.Length);
        _reserved += part.Length;
        if (length > _buffer.Length)
        {
            var larger = Pool.Rent((int)Math.Max(length, Math.Min(_buffer.Length * 2L, limit.MaxBytes)));
            Bytes.Span.CopyTo(larger);
            Pool.Return(_buffer);
            _buffer = larger;
        }

        part.CopyTo(_buffer.AsSpan(_length));
        _length = (int)length;
    }
}
