using System.Net;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Pages;

/// <summary>Who may see a room whose record no longer says it: what <c>room.json</c> keeps.</summary>
public sealed class KeptVisibilityTests : IDisposable
{
    private const string Refusal = """{"allow":false}""";
    private const string Permission = """{"allow":true}""";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public KeptVisibilityTests() => _room = new(_folder);

    private string Properties => Path.Combine(_room.Logs, _room.Id, "room.json");

    private DateOnly Today => DateOnly.FromDateTime(_room.Time.GetUtcNow().DateTime);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_change_that_could_not_be_written_before_a_stop_is_kept_when_its_day_is_removed()
    {
        await _room.SayAsync("hello");
        Directory.CreateDirectory($"{Properties}.new/obstacle");
        await _room.SetVisibilityAsync("world_readable");
        await _room.Service.DisposeAsync();
        Assert.False(File.Exists(Properties));
        Directory.Delete($"{Properties}.new", recursive: true);
        _room.Time.Advance(TimeSpan.FromDays(1));
        using var service = new ServiceUnderTest(_room.Time, _folder);
        await service.PushAsync("next", Some.Message(_room.Id, "second-day", at: _room.Time.GetUtcNow().ToUnixTimeMilliseconds()));
        await service.Services.GetRequiredService<LogDirectory>().RemoveDaysBeforeAsync(Today, "a test");
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(Properties)!, "*.jsonl"));
        await AssertShownAsync(true);
    }

    private async Task AssertShownAsync(bool isShown)
    {
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(isShown ? HttpStatusCode.OK : HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }
}
