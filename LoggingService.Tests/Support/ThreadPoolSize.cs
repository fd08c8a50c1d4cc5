using System.Runtime.CompilerServices;

namespace LoggingService.Tests.Support;

internal static class ThreadPoolSize
{
    /// <summary>Tests stop hosts synchronously, which blocks threads of the pool that the services need.</summary>
    [ModuleInitializer]
    public static void Enlarge() => ThreadPool.SetMinThreads(64, 64);
}
