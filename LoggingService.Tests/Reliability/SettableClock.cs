using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>A clock that can be set; as on a machine, the monotonic timestamp isn't affected.</summary>
internal sealed class SettableClock() : FakeTimeProvider(new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero))
{
    private TimeSpan _offset;

    public void Set(TimeSpan by) => _offset += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _offset;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
