using System.Buffers;
using System.IO.Pipelines;
using LoggingService.Options;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>Reads requests' bodies whole, into pooled memory, within a limit for one and for all that are in flight.</summary>
internal sealed class RequestBodyReader(LoggingServiceOptions options)
{
    private static readonly MatrixError TooLarge = new(413, "M_TOO_LARGE", "The body is larger than MaxBodyBytes allows.");
    private static readonly MatrixError TooMuch = new(503, "M_LIMIT_EXCEEDED", "Too much is being received at the same time; try again.");

    /// <summary>Transactions are a few KiB, some MiB at the most: memory for larger ones isn't kept.</summary>
    private const int Everyday = 1 << 20;
    private const int Large = 16 << 20;
    private static readonly ArrayPool<byte> Pool = ArrayPool<byte>.Create(Everyday, maxArraysPerBucket: 16);
    private long _inFlight;
    private int _isMemoryToGiveBack;

    /// <summary>Bytes of all bodies that are being received or worked on.</summary>
    public long InFlight => Interlocked.Read(ref _inFlight);

    /// <summary>Reads a body to its end.</summary>
    /// <exception cref="MatrixException">413 where it is over the limit, 503 where all together are.</exception>
    /// <exception cref="BadHttpRequestException">It didn't come as announced.</exception>
    public async Task<Body> ReadAsync(HttpRequest request)
    {
        // The web server's limit is for strangers. Of the homeserver's it throws away what is too large, so that it reads the answer.
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (request.ContentLength > options.MaxBodyBytes)
        {
            throw new MatrixException(TooLarge);
        }

        var body = new Body(this);
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
                    // Also where it is refused: else the web server can't read on, and drops the connection before the answer.
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

    private static async Task<ReadResult> ReadAsync(PipeReader reader)
    {
        try
        {
            return await reader.ReadAsync();
        }
        catch (IOException e) when (e is not (BadHttpRequestException or ConnectionResetException))
        {
            // As for a chunk whose length is no number that fits.
            throw new BadHttpRequestException("The body didn't come as announced.", e);
        }
    }

    /// <summary>The runtime collects what a large body left when memory is short, or never: a service that is idle makes no garbage.</summary>
    private async Task GiveMemoryBackAsync()
    {
        if (Interlocked.Exchange(ref _isMemoryToGiveBack, 1) == 0)
        {
            // Later: who worked on the body still holds it.
            await Task.Delay(TimeSpan.FromSeconds(1));
            _isMemoryToGiveBack = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    /// <summary>A body in pooled memory; the memory goes back when it is disposed of.</summary>
    public sealed class Body : IDisposable
    {
        private readonly RequestBodyReader _bodies;
        private byte[] _buffer = Pool.Rent(16 * 1024);
        private int _length;

        internal Body(RequestBodyReader bodies) => _bodies = bodies;

        /// <summary>The whole body.</summary>
        public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

        /// <inheritdoc/>
        public void Dispose()
        {
            Interlocked.Add(ref _bodies._inFlight, -_length);
            if (_buffer.Length > Large)
            {
                _ = _bodies.GiveMemoryBackAsync();
            }

            Pool.Return(_buffer);
            (_buffer, _length) = ([], 0);
        }

        internal void Append(ReadOnlySequence<byte> part)
        {
            var length = _length + part.Length;
            if (length > _bodies.Limit)
            {
                throw new MatrixException(TooLarge);
            }

            if (Interlocked.Add(ref _bodies._inFlight, part.Length) > _bodies.Limit)
            {
                Interlocked.Add(ref _bodies._inFlight, -part.Length);
                throw new MatrixException(TooMuch);
            }

            if (length > _buffer.Length)
            {
                var larger = Pool.Rent((int)Math.Max(length, Math.Min(_buffer.Length * 2L, _bodies.Limit)));
                Bytes.Span.CopyTo(larger);
                Pool.Return(_buffer);
                _buffer = larger;
            }

            part.CopyTo(_buffer.AsSpan(_length));
            _length = (int)length;
        }
    }

    private long Limit => options.MaxBodyBytes;
}
