namespace LoggingService.Events;

/// <summary>Something that was pushed and can't be logged: it goes to the quarantine whole, and is acknowledged, for sent again it would be no better.</summary>
/// <param name="Reason">What it is, in words for the admin that repeat nothing of it.</param>
/// <param name="Bytes">The bytes as they came.</param>
/// <param name="IsJson">Whether they are one JSON value.</param>
internal readonly record struct Unloggable(string Reason, ReadOnlyMemory<byte> Bytes, bool IsJson);
