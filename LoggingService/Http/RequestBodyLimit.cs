namespace LoggingService.Http;

/// <summary>One limit, which applies to each request body and to all bodies in flight together.</summary>
internal sealed class RequestBodyLimit(LoggingServiceOptions options)
{
    private static readonly MatrixError TooLarge = new(413, "M_TOO_LARGE", "The request body exceeds MaxBodyBytes.");
    private static readonly MatrixError TooManyInFlight = new(503, "M_LIMIT_EXCEEDED", "All requests together exceed MaxBodyBytes; retry.");

    private long _inFlight;

    public long MaxBytes => options.MaxBodyBytes;

    /// <summary>How many bytes of bodies have been read for requests that have not ended.</summary>
    public long BytesInFlight => Interlocked.Read(ref _inFlight);

    /// <exception cref="MatrixException">413: the body exceeds the limit.</exception>
    public void Check(long bodyLength)
    {
        if (bodyLength > MaxBytes)
        {
            throw new MatrixException(TooLarge);
        }
    }

    /// <exception cref="MatrixException">503: all bodies in flight would exceed the limit.</exception>
    public void Reserve(long bytes)
    {
        if (Interlocked.Add(ref _inFlight, bytes) > MaxBytes)
        {
            Release(bytes);
            throw new MatrixException(TooManyInFlight);
        }
    }

    public void Release(long bytes) => Interlocked.Add(ref _inFlight, -bytes);
}
