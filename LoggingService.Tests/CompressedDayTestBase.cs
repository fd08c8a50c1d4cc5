using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>A room with a compressed first day, on 2025-11-20, and a second day.</summary>
public abstract class CompressedDayTestBase : IDisposable
{
    protected const string FirstDay = "20251120";
    private protected static readonly DateTimeOffset First = new(2025, 11, 20, 12, 0, 0, TimeSpan.Zero);

    private protected string Room { get; } = Some.RoomId();

    private protected FakeTimeProvider Time { get; } = new(First);

    private protected TempFolder Folder { get; } = TempFolder.ForCaller();

    /// <inheritdoc/>
    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ServiceUnderTest Start() =>
        new(Time, Folder, settings: new() { ["LoggingService:CompressAfterDays"] = "1" });

    private protected static async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString(), events)).Status);

    /// <summary>Logs events on the first day, and one on each of the next two, so that the first one is compressed.</summary>
    private protected async Task CompressAsync(ServiceUnderTest service, params string[] events)
    {
        await PushAsync(service, events);
        for (var day = 1; day <= 2; day++)
        {
            await service.CheckpointAsync();
            Time.SetUtcNow(First.AddDays(day));
            await PushAsync(service, Message($"day {day}"));
        }

        await UntilCompressedAsync();
    }

    private protected Task UntilCompressedAsync() => Wait.UntilAsync(
        () => File.Exists(Gz("jsonl")) && File.Exists(Gz("log")) && !File.Exists(Plain("jsonl")) && !File.Exists(Plain("log")),
        "the first day is compressed");

    private protected string Plain(string extension) => Folder["logs", Room, $"{FirstDay}.{extension}"];

    private protected string Gz(string extension) => Plain(extension) + ".gz";

    private protected string Message(string body, string? eventId = null) => Some.Message(Room, body, eventId, at: Now);

    private protected string Reply(string to, string body) => Event(
        "m.room.message", $$"""{"msgtype":"m.text","body":"{{body}}","m.relates_to":{"m.in_reply_to":{"event_id":"{{to}}"} } }""");

    private protected string Redaction(string of) => Event("m.room.redaction", $$"""{"redacts":"{{of}}"}""");

    private protected static string LastLine(ServiceUnderTest service, string room) => service.Lines(room)[^1];

    private protected static IReadOnlyList<string> Messages(ServiceUnderTest service, string start) =>
        [.. service.Logged.Where(e => e.Level >= LogEventLevel.Information).Select(e => e.RenderMessage()).Where(m => m.StartsWith(start))];

    /// <summary>What a program of the system writes for a file.</summary>
    private protected static async Task<byte[]> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output, TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }

    private protected static void Gzip(string path, byte[] content)
    {
        using (var file = new GZipStream(File.Create(path + ".new"), CompressionLevel.Optimal))
            file.Write(content);
        File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.Move(path + ".new", path, overwrite: true);
    }

    private protected static byte[] Gunzip(string path)
    {
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var content = new MemoryStream();
        file.CopyTo(content);
        return content.ToArray();
    }

    private long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    private string Event(string type, string content) =>
        $$"""{"event_id":"{{Some.EventId()}}","room_id":"{{Room}}","sender":"@bob:localhost","type":"{{type}}","""
        + $$"""
            "origin_server_ts":{{Now}},"content":{{content}}}
            """;

    /// <summary>Messages of one day whose record has more than 3 MiB; the first one has the id <c>$old</c>.</summary>
    private protected string[] ManyMessages(int count = 400)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(i => Message(i == 0 ? "the old one" : Noise(random), i == 0 ? "$old" : $"$noise{i}"))];
    }

    private static string Noise(Random random) => JsonSerializer.Serialize(Convert.ToBase64String(RandomBytes(random)))[1..^1];

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[6000];
        random.NextBytes(bytes);
        return bytes;
    }
}
