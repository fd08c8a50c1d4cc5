using System.IO.Pipelines;
using System.Runtime.InteropServices;
using LoggingService.Http;
using LoggingService.Options;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;

namespace LoggingService.Tests;

/// <summary>The array of a request body: exact where the length is declared, and no larger than what has arrived justifies.</summary>
public class RequestBodyMemoryTests
{
    private const int MiB = 1 << 20;
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));

    [Theory]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(131_073)]
    [InlineData(3_000_000)]
    public async Task A_body_of_a_declared_length_fills_its_array_exactly(int length)
    {
        var sent = Bytes(length);
        using var body = new RequestBody(Limit());

        await ReadAsync(body, sent, piece: 10_007, declaredLength: length);

        Assert.Equal(sent, body.Bytes.ToArray());
        Assert.Equal(length, ArrayOf(body).Length);
    }

    [Fact]
    public async Task A_chunked_body_is_read_whole()
    {
        var sent = Bytes(3_000_000);
        using var body = new RequestBody(Limit());

        await ReadAsync(body, sent, piece: 10_007, declaredLength: null);

        Assert.Equal(sent, body.Bytes.ToArray());
        Assert.InRange(ArrayOf(body).Length, sent.Length, 2 * sent.Length);
    }

    [Fact]
    public async Task Ten_clients_that_declare_128_MiB_and_send_one_byte_take_little_memory_and_nothing_of_the_limit()
    {
        var limit = Limit();
        Assert.Equal(128 * MiB, limit.MaxBytes);
        var bodies = Enumerable.Range(0, 10).Select(_ => new RequestBody(limit)).ToList();
        foreach (var body in bodies)
        {
            await ReadAsync(body, [1], piece: 1, declaredLength: 128 * MiB);
        }

        Assert.InRange(bodies.Sum(body => ArrayOf(body).Length), 10, 2 * MiB);
        Assert.Equal(10, limit.BytesInFlight);
        bodies.ForEach(body => body.Dispose());
        Assert.Equal(0, limit.BytesInFlight);
    }

    [Fact]
    public async Task The_bytes_outlive_the_request()
    {
        var limit = Limit();
        var first = new RequestBody(limit);
        await ReadAsync(first, Bytes(50_000), piece: 50_000, declaredLength: 50_000);
        first.Dispose();
        using var second = new RequestBody(limit);
        await ReadAsync(second, new byte[50_000], piece: 50_000, declaredLength: 50_000);

        Assert.Equal(Bytes(50_000), first.Bytes.ToArray());
        Assert.Equal(50_000, limit.BytesInFlight);
    }

    private static RequestBodyLimit Limit() => new(LoggingServiceOptions.Read(new ConfigurationBuilder().Build()));

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];

    private static byte[] ArrayOf(RequestBody body)
    {
        Assert.True(MemoryMarshal.TryGetArray(body.Bytes, out var segment));
        return segment.Array!;
    }

    private async Task ReadAsync(RequestBody body, byte[] sent, int piece, long? declaredLength)
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpMaxRequestBodySizeFeature>(new NoLimit());
        http.Features.Set<IRequestBodyPipeFeature>(new PipeBody(_pipe.Reader));
        http.Request.ContentLength = declaredLength;
        var reading = body.ReadAsync(http.Request);
        foreach (var part in sent.Chunk(piece))
        {
            await _pipe.Writer.WriteAsync(part, TestContext.Current.CancellationToken);
        }

        await _pipe.Writer.CompleteAsync();
        await reading;
        await _pipe.Reader.CompleteAsync();
        _pipe.Reset();
    }

    private sealed record PipeBody(PipeReader Reader) : IRequestBodyPipeFeature;

    private sealed class NoLimit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
