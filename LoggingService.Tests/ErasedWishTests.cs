using LoggingService.Consent;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>A room's wishes may name a user.</summary>
public class ErasedWishTests : ErasureTestBase
{
    [Fact]
    public async Task A_prefix_with_the_id_of_a_user_is_replaced_without_a_restart()
    {
        Directory.CreateDirectory(Path.Combine(Logs, Room));
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Room, "room.json"), $"{{\"wishes\":{{\"no_log_prefix\":\"{Alice}\"}}}}",
            TestContext.Current.CancellationToken);
        using var service = Start();
        await PushAsync(service, Event("$hidden", Room, Bob, "m.room.message", Text($"{Alice} hears this")));
        Assert.Equal([$"<{Bob}, not logged> [not logged at the sender's wish]"], AllLines(Room, "log"));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--pseudonym", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.DoesNotContain(
            Alice, service.Services.GetRequiredService<RoomWishes>().Get(Room).NoLogPrefix, StringComparison.Ordinal);
    }
}
